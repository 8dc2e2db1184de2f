/**
 * Looks for uploads without a part and parts without an upload.
 *
 * @module
 */

import { join } from "node:path";
import { formatPath } from "../../lib/netdisk/path.ts";
import type { Catalog } from "../store/catalog.ts";
import { PART_ID } from "../netdisk/depot_parts.ts";
import { type CheckedData, PAGE_MAX } from "./checked_data.ts";
import type { Finding, Suspect } from "./finding.ts";
import { lookAt, namesOf } from "./tree.ts";

/** What the set-up of the folders tries the file system out with. */
const PROBE_NAME = ".probe";

/** Open uploads, of one user if one is given, whose part is not on the disk. */
export async function* suspectUploads(
  data: CheckedData,
  user?: string,
): AsyncGenerator<Suspect, void> {
  for (let after = "";;) {
    const page = await data.catalog.listUploads({ state: "open", after, limit: PAGE_MAX });
    for (const upload of page) {
      if (user !== undefined && upload.user !== user) continue;
      const look = () => lookAtUpload(data, upload.id);
      const finding = await look();
      if (finding !== null) yield { finding, look };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_MAX) return;
    after = last.id;
  }
}

async function lookAtUpload({ catalog, folders }: CheckedData, id: string) {
  if (lookAt(join(folders.parts, id)) !== null) return null;
  const upload = await catalog.findUploadById(id);
  if (upload === null || upload.state !== "open") return null;
  const detail = `The upload of ${formatPath(upload.path)} has no part`;
  const finding: Finding = {
    kind: "upload-without-part",
    user: upload.user,
    where: `parts/${id}`,
    detail,
    id,
  };
  return finding;
}

/**
 * What lies in the folder of parts and belongs to no upload.
 *
 * @param data The data.
 * @param judgedBeforeMs Only what was last changed before this time, in milliseconds since 1970.
 */
export async function* suspectParts(
  { catalog, folders }: CheckedData,
  judgedBeforeMs: number,
): AsyncGenerator<Suspect, void> {
  for (const id of await namesOf(folders.parts) ?? []) {
    if (id === PROBE_NAME) continue;
    const look = async (): Promise<Finding | null> => {
      const info = lookAt(join(folders.parts, id));
      if (info === null) return null;
      const where = `parts/${id}`;
      // Asked first: nearly all are that, and no batch has such a name.
      if (info.isFile && PART_ID.test(id) && await catalog.findUploadById(id) !== null) return null;
      if (await isOfBatch(catalog, id)) return null;
      // Not the time of the content, which is that of the source.
      const isYoung = (info.ctime ?? info.mtime ?? 0).valueOf() >= judgedBeforeMs;
      if (!info.isFile || !PART_ID.test(id)) {
        // A batch builds new folders there before its intent is written down.
        if (info.isDirectory && isYoung) return null;
        return { kind: "foreign", user: null, where, detail: "No part of an upload" };
      }
      if (isYoung) return null;
      const detail = "A part that belongs to no upload";
      return { kind: "part-without-upload", user: null, where, detail, id };
    };
    const finding = await look();
    if (finding !== null) yield { finding, look };
  }
}

/** Whether something is a part of a batch that is not over, or the folder in which it builds folders. */
async function isOfBatch(catalog: Catalog, name: string): Promise<boolean> {
  const batches = await catalog.listBatches(PAGE_MAX);
  return batches.some(({ id }) => name === id || name.startsWith(`${id}-`));
}
