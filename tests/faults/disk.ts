/**
 * File systems that a scenario can do to as it likes: a small one in memory, and one in an image file
 * whose power can be cut.
 *
 * @module
 */

import { join } from "node:path/posix";
import type { World } from "../e2e/testing.ts";

const SMALL = "24m";
const IMAGE_BYTES = 96 * 1024 * 1024;

/** What the journal of the image would do by itself after a while; a try is shorter. */
const IMAGE_OPTIONS = "loop,commit=300";

async function command(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (success) return;
  throw new Error(`Cannot ${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Mounts a small file system in memory as the server's data. */
export async function mountSmall({ data }: Pick<World, "data">): Promise<void> {
  await Deno.mkdir(data, { recursive: true });
  await command("mount", ["-t", "tmpfs", "-o", `size=${SMALL}`, "tmpfs", data]);
}

/** Lets the server's data be written again, or no more. */
export async function remount({ data }: Pick<World, "data">, how: "ro" | "rw"): Promise<void> {
  await command("mount", ["-o", `remount,${how}`, data]);
}

/** Mounts an ext4 in an image file as the server's data. */
export async function mountImage({ data, folder }: Pick<World, "data" | "folder">): Promise<void> {
  const image = join(folder, "disk.img");
  await Deno.mkdir(data, { recursive: true });
  await Deno.writeFile(image, new Uint8Array(0));
  await Deno.truncate(image, IMAGE_BYTES);
  await command("mkfs.ext4", ["-q", "-F", image]);
  await command("mount", ["-o", IMAGE_OPTIONS, image, data]);
}

/**
 * Keeps what the disk holds now, and not what the system has in memory for it. Nobody may write
 * meanwhile: stop whoever does.
 */
export async function keepImage({ folder }: Pick<World, "folder">): Promise<void> {
  await command("cp", ["--sparse=always", join(folder, "disk.img"), join(folder, "kept.img")]);
}

/** Puts what was kept in place of all that came after it, as after a power cut. */
export async function restoreImage(
  { data, folder }: Pick<World, "data" | "folder">,
): Promise<void> {
  await command("umount", [data]);
  await Deno.rename(join(folder, "kept.img"), join(folder, "disk.img"));
  await command("mount", ["-o", IMAGE_OPTIONS, join(folder, "disk.img"), data]);
}

/** Unmounts the server's data. */
export async function unmount({ data }: Pick<World, "data">): Promise<void> {
  await command("umount", [data]);
}

/** Why file systems cannot be mounted here. */
export async function cannotMount(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    await command("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
    await command("umount", [folder]);
    return undefined;
  } catch {
    return "this system does not let us mount anything";
  } finally {
    await Deno.remove(folder);
  }
}

/** Why images cannot be mounted here. */
export async function cannotMountImage(): Promise<string | undefined> {
  const folder = await Deno.makeTempDir();
  const world = { folder, data: join(folder, "data") };
  try {
    await mountImage(world);
    await unmount(world);
    return undefined;
  } catch {
    return "this system does not let us mount an image";
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
