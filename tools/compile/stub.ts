/**
 * The head of a portable executable: a POSIX shell script that unpacks what follows it, once, and
 * becomes the program.
 *
 * @module
 */

/** One compressed part behind the script. */
export interface Part {
  /** Bytes of the part as it lies in the file. */
  readonly packed_bytes: number;
  /** SHA-256 of the unpacked part, in hex. */
  readonly sha256: string;
}

/** What the script has to know. */
export interface StubOptions {
  /** Name of the program. */
  readonly name: string;
  /** Flags of `deno run`. */
  readonly flags: readonly string[];
  /** The bundled program, first behind the script. */
  readonly program: Part;
  /** The Deno that runs it, behind the program. */
  readonly deno: Part;
}

/** Digits of the first byte's place in the script, so that its length does not depend on it. */
const OFFSET_DIGITS = 8;

/**
 * Writes the script.
 *
 * @param options What it has to know.
 * @returns The script; the parts follow its last byte.
 */
export function stubOf(options: StubOptions): string {
  const length = new TextEncoder().encode(fill(options, 0)).length;
  return fill(options, length + 1);
}

function fill({ name, flags, program, deno }: StubOptions, offset: number): string {
  return `#!/bin/sh
# ${name}: this script, then the program and the Deno that runs it, both compressed.
# They are unpacked once, into a folder that only their user can enter.
set -eu
first=${String(offset).padStart(OFFSET_DIGITS, "0")}
program_size=${program.packed_bytes}
program_sum=${program.sha256}
deno_size=${deno.packed_bytes}
deno_sum=${deno.sha256}
${SCRIPT.replaceAll("@NAME@", name).replaceAll("@FLAGS@", flags.map(quote).join(" "))}`;
}

/** Quotes a word for the shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

// The digests are checked after unpacking, not at every start: hashing Deno takes longer than starting
// it, and whoever can write to the folder can as well replace this file.
const SCRIPT = String.raw`fail() { printf '@NAME@: %s\n' "$*" >&2; exit 1; }
damaged() {
  rm -f "$temp"
  printf '@NAME@: %s\n' "Cannot unpack $0: it is damaged; get it again" >&2
  exit 6
}

# What is made below is for the user alone; the program itself gets the mask it was called with.
mask=$(umask)
umask 077

# Finds a folder of the user's own; without a home, one in the folder for temporary files that nobody
# else has made before.
cache=
for parent in "${"${XDG_CACHE_HOME-}"}" "${"${HOME:+$HOME/.cache}"}"; do
  case $parent in /*) ;; *) continue ;; esac
  if { [ -d "$parent/trivet" ] || mkdir -p "$parent/trivet"; } 2>/dev/null &&
    [ -w "$parent/trivet" ]; then
    cache=$parent/trivet
    break
  fi
done
if [ -z "$cache" ]; then
  user=$(id -u)
  cache=${"${TMPDIR:-/tmp}"}/trivet-$user
  mkdir "$cache" 2>/dev/null || :
  [ -d "$cache" ] && [ ! -h "$cache" ] || fail "Cannot make the folder $cache"
  # Fields of ls -ldn: mode, links, owner.
  case $(ls -ldn "$cache" | { read -r mode links owner rest && printf '%s %s' "$mode" "$owner"; }) in
    "drwx------ $user" | "drwx------. $user" | "drwx------+ $user") ;;
    *) fail "Cannot use the folder $cache: somebody else can write to it; remove it" ;;
  esac
fi

sha256_of() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1"
  elif command -v shasum >/dev/null 2>&1; then shasum -a 256 <"$1"
  # Without either, the CRC-32 that gzip has checked stands alone.
  else echo "$2"
  fi
}

# unpack OFFSET SIZE SHA256 FILE: each start writes a file of its own and renames it when it is whole.
unpack() {
  temp=$4.$$
  trap 'rm -f "$temp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  tail -c "+$1" "$0" | head -c "$2" | gzip -dc >"$temp" 2>/dev/null || damaged
  sum=$(sha256_of "$temp" "$3")
  [ "${"${sum%% *}"}" = "$3" ] || damaged
  chmod 700 "$temp"
  mv -f "$temp" "$4"
  trap - EXIT INT TERM
}

deno=$cache/deno-$deno_sum
program=$cache/@NAME@-$program_sum.js
# Strips the zeros that keep the length of this script the same: to the shell they would mean octal.
first=${'${first#"${first%%[!0]*}"}'}
[ -f "$program" ] || unpack "$first" "$program_size" "$program_sum" "$program"
[ -x "$deno" ] || unpack "$((first + program_size))" "$deno_size" "$deno_sum" "$deno"

umask "$mask"
export DENO_DIR="$cache/deno-dir" DENO_NO_UPDATE_CHECK=1 DENO_NO_PACKAGE_JSON=1
exec "$deno" run --quiet --no-config --no-lock --no-remote --no-npm --cached-only @FLAGS@ "$program" "$@"
`;
