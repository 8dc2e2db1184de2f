/**
 * Writing folders through to the disk, shared: many files that are published into one folder at the
 * same time need one fsync of it, not one each.
 *
 * @module
 */

interface Turn {
  readonly running: Promise<void>;
  /** Starts when `running` ends; whoever asks meanwhile shares it. */
  next: Promise<void> | null;
}

/** Syncs one folder to the disk. */
export type SyncFolder = (folder: string) => Promise<void>;

/** fsync of folders, one under way and one waiting at most for each. */
export class FolderSync {
  readonly #turns = new Map<string, Turn>();
  readonly #sync: SyncFolder;

  /** @param sync Only tests pass it. */
  constructor(sync: SyncFolder = syncFolder) {
    this.#sync = sync;
  }

  /**
   * Resolves when a sync that began after this call has ended: one that is under way already may
   * have missed the caller's change.
   */
  request(folder: string): Promise<void> {
    const turn = this.#turns.get(folder);
    if (turn === undefined) return this.#start(folder);
    turn.next ??= turn.running.catch(() => {}).then(() => this.#start(folder));
    return turn.next;
  }

  #start(folder: string): Promise<void> {
    const running = this.#sync(folder);
    const turn: Turn = { running, next: null };
    this.#turns.set(folder, turn);
    const end = () => {
      if (turn.next === null) this.#turns.delete(folder);
    };
    running.then(end, end);
    return running;
  }
}

/**
 * fsync of one folder. Windows cannot open a folder to sync it; NTFS writes its changes in order by
 * itself.
 */
export async function syncFolder(folder: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using file = await Deno.open(folder);
  await file.sync();
}
