/**
 * Paths on the server as people type them in a shell: relative to a folder, with `.` and `..`. Only
 * here do these two mean anything; on the wire they are refused.
 *
 * @module
 */

/**
 * The path from the root on.
 *
 * @param folder The shell's folder, from the root on.
 * @param path As it was typed; one that begins with `/` does not depend on the folder.
 * @returns The path; what can only be a folder's ends with `/`. `..` at the root stays there.
 */
export function resolveRemote(folder: string, path: string): string {
  const typed = path.split("/");
  const components = path.startsWith("/") ? [] : componentsOf(folder);
  for (const component of typed) {
    if (component === "..") components.pop();
    else if (component !== "." && component !== "") components.push(component);
  }
  const isFolder = ["", ".", ".."].includes(typed.at(-1) ?? "");
  return components.length === 0 ? "/" : `/${components.join("/")}${isFolder ? "/" : ""}`;
}

function componentsOf(folder: string): string[] {
  return folder.split("/").filter((component) => component !== "");
}
