/**
 * Looks for what a crash left half-way, while no server runs: its next start settles it, and so does
 * a repair.
 *
 * @module
 */

import { formatPath } from "../../lib/netdisk/path.ts";
import { type CheckedData, PAGE_MAX } from "./checked_data.ts";
import type { Finding, Suspect } from "./finding.ts";

/** Commits, batches, ways into and out of the trash and moves, of one user if one is given. */
export async function* suspectUnsettled(
  data: CheckedData,
  user?: string,
): AsyncGenerator<Suspect, void> {
  for await (const finding of unsettled(data)) {
    if (user !== undefined && finding.user !== user) continue;
    yield { finding, look: () => lookAgain(data, finding) };
  }
}

/** A server that has started meanwhile settles it. */
async function lookAgain({ catalog }: CheckedData, finding: Finding): Promise<Finding | null> {
  const { kind, id = "" } = finding;
  if (kind === "unsettled-commit") {
    return (await catalog.findUploadById(id))?.state === "committing" ? finding : null;
  }
  if (kind === "unsettled-trash") {
    const item = await catalog.findTrash(id);
    return item !== null && item.state !== "kept" ? finding : null;
  }
  if (kind === "unsettled-batch") {
    const batches = await catalog.listBatches(PAGE_MAX);
    return batches.some((batch) => batch.id === id) ? finding : null;
  }
  const moves = await catalog.listMoves(PAGE_MAX);
  return moves.some((move) => move.id === id) ? finding : null;
}

async function* unsettled({ catalog }: CheckedData): AsyncGenerator<Finding, void> {
  for (let after = "";;) {
    const page = await catalog.listUploads({ state: "committing", after, limit: PAGE_MAX });
    for (const { id, user, path } of page) {
      const detail = `Publishing ${formatPath(path)} was interrupted`;
      yield { kind: "unsettled-commit", user, where: `parts/${id}`, detail, id };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) break;
    after = last.id;
  }
  for (const { id, user, files } of await catalog.listBatches(PAGE_MAX)) {
    const detail = `Publishing small files together was interrupted (files: ${files.length})`;
    yield { kind: "unsettled-batch", user, where: `parts/${id}`, detail, id };
  }
  const states = ["moving", "restoring", "emptying"] as const;
  for (let after = "";;) {
    const page = await catalog.listTrash({ states, after, limit: PAGE_MAX });
    for (const { id, user, path, state } of page) {
      const detail = `${formatPath(path)} was interrupted while ${state}`;
      yield { kind: "unsettled-trash", user, where: `trash/${user}/${id}`, detail, id };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) break;
    after = last.id;
  }
  for (const { id, user, from, to } of await catalog.listMoves(PAGE_MAX)) {
    const detail = `Moving ${formatPath(from)} to ${formatPath(to)} was interrupted`;
    yield { kind: "unsettled-move", user, where: `homes/${user}`, detail, id };
  }
}
