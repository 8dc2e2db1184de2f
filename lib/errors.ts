/**
 * The error registry: every failure that crosses a boundary has one stable code here, with the exit
 * code it ends a command with, whether a retry can help, and one sentence that says what to do.
 * A leaf that everything else may import, since links and transfers fail with these codes too.
 *
 * @module
 */

/** What the registry knows of one error code. */
export interface ErrorKind {
  /** Exit code of a command that ends with this error (0–255). */
  readonly exitCode: number;
  /** Whether the same call can succeed later without anybody changing anything. */
  readonly retry: boolean;
  /** One sentence that says what to do. */
  readonly hint: string;
}

/** Exit codes of both programs; `trivet exec` has its own meaning for them. */
export const EXIT = {
  OK: 0,
  FAILED: 1,
  USAGE: 2,
  NOT_FOUND: 3,
  REFUSED: 4,
  UNAVAILABLE: 5,
  INTEGRITY: 6,
  SPACE: 7,
  CONFLICT: 8,
  INTERRUPTED: 130,
} as const;

function kind(exitCode: number, retry: boolean, hint: string): ErrorKind {
  return { exitCode, retry, hint };
}

/** A code of the registry, which has exactly these. */
export type ErrorCode =
  | "FAILED"
  | "INTERNAL"
  | "INVALID_REQUEST"
  | "PROTOCOL_ERROR"
  | "VERSION_MISMATCH"
  | "UNKNOWN_METHOD"
  | "UNKNOWN_SERVICE"
  | "USAGE"
  | "USER_NAME_INVALID"
  | "PASSWORD_INVALID"
  | "PATH_EMPTY"
  | "PATH_DOT"
  | "PATH_SEPARATOR"
  | "PATH_NUL"
  | "PATH_CONTROL"
  | "PATH_ENCODING"
  | "NAME_TOO_LONG"
  | "PATH_TOO_LONG"
  | "PATH_TOO_DEEP"
  | "NAME_NOT_PORTABLE"
  | "NOT_FOUND"
  | "UPLOAD_NOT_FOUND"
  | "LOCAL_NOT_FOUND"
  | "USER_NOT_FOUND"
  | "SESSION_NOT_FOUND"
  | "COMMAND_NOT_FOUND"
  | "KEY_NOT_FOUND"
  | "TRASH_NOT_FOUND"
  | "TOKEN_NOT_FOUND"
  | "AUTH_REQUIRED"
  | "AUTH_FAILED"
  | "AUTH_THROTTLED"
  | "TOKEN_INVALID"
  | "KEY_REQUIRED"
  | "KEY_INVALID"
  | "PERMISSION_DENIED"
  | "REGISTRATION_CLOSED"
  | "INVITE_INVALID"
  | "SYMLINK_REFUSED"
  | "LOCAL_DENIED"
  | "ARGUMENT_REFUSED"
  | "UNREACHABLE"
  | "TIMEOUT"
  | "CONNECTION_LOST"
  | "PEER_UNREACHABLE"
  | "SERVER_BUSY"
  | "TOO_MANY_CONNECTIONS"
  | "TOO_MANY_UPLOADS"
  | "SHUTTING_DOWN"
  | "ADDRESS_IN_USE"
  | "PIN_MISMATCH"
  | "PIN_UNKNOWN"
  | "CERTIFICATE_INVALID"
  | "SERVER_NOT_PROVEN"
  | "KEY_NOT_PROVEN"
  | "DIGEST_MISMATCH"
  | "AUDIT_BROKEN"
  | "QUOTA_EXCEEDED"
  | "DISK_FULL"
  | "FILE_TOO_LARGE"
  | "OUTPUT_LIMIT"
  | "TIME_LIMIT"
  | "TOO_MANY"
  | "EXISTS"
  | "USER_EXISTS"
  | "KEY_EXISTS"
  | "NAME_CASE_CONFLICT"
  | "IS_FOLDER"
  | "NOT_FOLDER"
  | "FOLDER_NOT_EMPTY"
  | "INTO_ITSELF"
  | "NOT_REGULAR"
  | "CHANGED"
  | "UPLOAD_TAKEN_OVER"
  | "LOCAL_IN_USE"
  | "ROOM_NAME_INVALID"
  | "MESSAGE_INVALID"
  | "MESSAGE_TOO_LONG"
  | "ROOM_NOT_FOUND"
  | "MESSAGE_NOT_FOUND"
  | "CHAT_USER_NOT_FOUND"
  | "NOT_A_MEMBER"
  | "BANNED"
  | "RATE_LIMITED"
  | "SLOW_READER"
  | "TOO_MANY_ROOMS"
  | "ROOM_FULL"
  | "TOO_MANY_REACTIONS"
  | "ROOM_EXISTS"
  | "INTERRUPTED";

/** Every error code of Trivet, grouped by exit code. */
export const ERROR_REGISTRY: Readonly<Record<ErrorCode, ErrorKind>> = {
  FAILED: kind(EXIT.FAILED, false, "Read the message above"),
  INTERNAL: kind(EXIT.FAILED, false, "This is a defect; report it with the server's log"),
  INVALID_REQUEST: kind(EXIT.FAILED, false, "Use a client of the same version as the server"),
  PROTOCOL_ERROR: kind(EXIT.FAILED, false, "Check that the address is a Trivet server's"),
  VERSION_MISMATCH: kind(EXIT.FAILED, false, "Use the same version on both sides"),
  UNKNOWN_METHOD: kind(EXIT.FAILED, false, "Use a client of the same version as the server"),
  UNKNOWN_SERVICE: kind(EXIT.FAILED, false, "Start the service on the server"),

  USAGE: kind(EXIT.USAGE, false, "Run the command with --help"),
  USER_NAME_INVALID: kind(
    EXIT.USAGE,
    false,
    "Use 1 to 32 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
  ),
  PASSWORD_INVALID: kind(EXIT.USAGE, false, "Choose a password of 8 to 1024 characters"),
  PATH_EMPTY: kind(EXIT.USAGE, false, "Name a file or folder"),
  PATH_DOT: kind(
    EXIT.USAGE,
    false,
    'Write the whole path from the home on, such as "/photos"; the home itself is "/"',
  ),
  PATH_SEPARATOR: kind(EXIT.USAGE, false, 'Use names without "/" and "\\"'),
  PATH_NUL: kind(EXIT.USAGE, false, "Use names without NUL"),
  PATH_CONTROL: kind(EXIT.USAGE, false, "Use names without control characters"),
  PATH_ENCODING: kind(EXIT.USAGE, false, "Use names that are valid Unicode"),
  NAME_TOO_LONG: kind(EXIT.USAGE, false, "Use a name of at most 255 bytes in UTF-8"),
  PATH_TOO_LONG: kind(EXIT.USAGE, false, "Use a path of at most 4096 bytes in UTF-8"),
  PATH_TOO_DEEP: kind(EXIT.USAGE, false, "Use at most 64 levels of folders"),
  NAME_NOT_PORTABLE: kind(
    EXIT.USAGE,
    false,
    "Choose a name that Windows and macOS can store, or ask for --names native on the server",
  ),

  NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the folder with trivet ls"),
  UPLOAD_NOT_FOUND: kind(EXIT.NOT_FOUND, true, "Start the upload again"),
  LOCAL_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "Check the path on this machine"),
  USER_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the accounts with trivetd user list"),
  SESSION_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the sessions with trivetd session list"),
  COMMAND_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List your commands with trivet exec --list"),
  KEY_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the keys with trivetd key list"),
  TRASH_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the trash with trivet trash list"),
  TOKEN_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the tokens with trivet token list"),

  AUTH_REQUIRED: kind(EXIT.REFUSED, false, "Log in with trivet login"),
  AUTH_FAILED: kind(EXIT.REFUSED, false, "Check the user name and the password"),
  AUTH_THROTTLED: kind(EXIT.REFUSED, true, "Wait as long as the message says"),
  TOKEN_INVALID: kind(EXIT.REFUSED, false, "Log in again with trivet login"),
  KEY_REQUIRED: kind(
    EXIT.REFUSED,
    false,
    "Pass --key-file or TRIVET_KEY_FILE with a key that the administrator made with trivetd key add",
  ),
  KEY_INVALID: kind(EXIT.REFUSED, false, "Ask the administrator of the server for a machine key"),
  PERMISSION_DENIED: kind(EXIT.REFUSED, false, "Ask the administrator of the server"),
  REGISTRATION_CLOSED: kind(EXIT.REFUSED, false, "Ask the administrator for an account"),
  INVITE_INVALID: kind(EXIT.REFUSED, false, "Ask the administrator for another invite"),
  SYMLINK_REFUSED: kind(EXIT.REFUSED, false, "Ask the administrator to remove the symbolic link"),
  LOCAL_DENIED: kind(
    EXIT.REFUSED,
    false,
    "Check the path on this machine and who may read and write it",
  ),
  ARGUMENT_REFUSED: kind(
    EXIT.REFUSED,
    false,
    "See what the command takes with trivet exec --list",
  ),

  UNREACHABLE: kind(EXIT.UNAVAILABLE, true, "Check the address and that the server runs"),
  TIMEOUT: kind(EXIT.UNAVAILABLE, true, "Try again"),
  CONNECTION_LOST: kind(EXIT.UNAVAILABLE, true, "Try again"),
  PEER_UNREACHABLE: kind(
    EXIT.UNAVAILABLE,
    true,
    "Check the contact's address and that both sides have the same key file",
  ),
  SERVER_BUSY: kind(EXIT.UNAVAILABLE, true, "Try again in a moment"),
  TOO_MANY_CONNECTIONS: kind(
    EXIT.UNAVAILABLE,
    true,
    "Wait until others at this address are done, or ask the administrator",
  ),
  TOO_MANY_UPLOADS: kind(EXIT.UNAVAILABLE, true, "Wait until other uploads of the account end"),
  SHUTTING_DOWN: kind(EXIT.UNAVAILABLE, true, "Try again when the server is back"),
  ADDRESS_IN_USE: kind(EXIT.UNAVAILABLE, false, "Stop the other program or choose another port"),

  PIN_MISMATCH: kind(
    EXIT.INTEGRITY,
    false,
    "If the server was set up anew, compare its fingerprint and run trivet login --fingerprint with it; if not, somebody may be listening",
  ),
  PIN_UNKNOWN: kind(
    EXIT.INTEGRITY,
    false,
    "Pass --fingerprint or TRIVET_FINGERPRINT with what trivetd printed at its start",
  ),
  CERTIFICATE_INVALID: kind(
    EXIT.INTEGRITY,
    false,
    "Give the server another certificate with --cert; check the clocks of both machines",
  ),
  SERVER_NOT_PROVEN: kind(
    EXIT.INTEGRITY,
    false,
    "The server does not know the account; do not type the password again",
  ),
  KEY_NOT_PROVEN: kind(
    EXIT.INTEGRITY,
    false,
    "Ask the administrator whether the key has ended or is another server's; if not, somebody may stand between",
  ),
  DIGEST_MISMATCH: kind(EXIT.INTEGRITY, true, "Try again; if it stays, check disk and memory"),
  AUDIT_BROKEN: kind(
    EXIT.INTEGRITY,
    false,
    "Compare with a copy of the audit log: lines were removed or changed",
  ),

  QUOTA_EXCEEDED: kind(EXIT.SPACE, false, "Remove files or ask for a larger quota"),
  DISK_FULL: kind(EXIT.SPACE, false, "Free space on the disk, then run the same command again"),
  FILE_TOO_LARGE: kind(EXIT.SPACE, false, "Split the file"),
  OUTPUT_LIMIT: kind(EXIT.SPACE, false, "Ask the administrator for a higher output limit"),
  TIME_LIMIT: kind(EXIT.SPACE, false, "Give a longer --timeout, or ask for a longer time limit"),
  TOO_MANY: kind(EXIT.SPACE, false, "Remove some of them first"),

  EXISTS: kind(
    EXIT.CONFLICT,
    false,
    "Choose another name, or replace with --overwrite replace (put, get) or --replace (cp, mv)",
  ),
  USER_EXISTS: kind(EXIT.CONFLICT, false, "Choose another user name or log in"),
  KEY_EXISTS: kind(EXIT.CONFLICT, false, "Choose another name or revoke the key first"),
  NAME_CASE_CONFLICT: kind(EXIT.CONFLICT, false, "Choose a name that differs by more than case"),
  IS_FOLDER: kind(EXIT.CONFLICT, false, "Name a file, or pass -r to a command that takes folders"),
  NOT_FOLDER: kind(EXIT.CONFLICT, false, "Name a folder"),
  FOLDER_NOT_EMPTY: kind(
    EXIT.CONFLICT,
    false,
    "Remove what is in the folder first, or all of it with trivet rm -r",
  ),
  INTO_ITSELF: kind(EXIT.CONFLICT, false, "Choose a place outside of the folder itself"),
  NOT_REGULAR: kind(EXIT.CONFLICT, false, "Name a regular file"),
  CHANGED: kind(EXIT.CONFLICT, true, "Run the same command again"),
  UPLOAD_TAKEN_OVER: kind(EXIT.CONFLICT, false, "Another session has taken over this upload"),
  LOCAL_IN_USE: kind(EXIT.CONFLICT, true, "Wait until the other command is done"),

  ROOM_NAME_INVALID: kind(
    EXIT.USAGE,
    false,
    "Use 1 to 64 of a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
  ),
  MESSAGE_INVALID: kind(EXIT.USAGE, false, "Send text, without control characters"),
  MESSAGE_TOO_LONG: kind(EXIT.USAGE, false, "Send several messages, or store a file and name it"),
  ROOM_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "List the rooms with trivet chat rooms"),
  MESSAGE_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "Find its id with trivet chat history"),
  CHAT_USER_NOT_FOUND: kind(EXIT.NOT_FOUND, false, "Check the name of the person"),
  NOT_A_MEMBER: kind(EXIT.REFUSED, false, "Join the room with trivet chat join"),
  BANNED: kind(EXIT.REFUSED, false, "Ask a moderator of the room for an invitation"),
  RATE_LIMITED: kind(EXIT.UNAVAILABLE, true, "Wait as long as the message says"),
  SLOW_READER: kind(
    EXIT.UNAVAILABLE,
    true,
    "Connect again and go on behind the number that the error names",
  ),
  TOO_MANY_ROOMS: kind(EXIT.SPACE, false, "Leave a room with trivet chat leave"),
  ROOM_FULL: kind(EXIT.SPACE, false, "Ask the owner of the room to make another one"),
  TOO_MANY_REACTIONS: kind(EXIT.SPACE, false, "Answer with a message"),
  ROOM_EXISTS: kind(EXIT.CONFLICT, false, "Choose another name or join the room"),

  INTERRUPTED: kind(EXIT.INTERRUPTED, false, "Run the same command again to go on"),
};

/** JSON values that an error may carry, for scripts. */
export type ErrorDetails = Record<string, string | number | boolean | null>;

/** Options of {@linkcode TrivetError}. */
export interface TrivetErrorOptions {
  /** What led to this error. */
  readonly cause?: unknown;
  /** Facts for scripts, such as `need_bytes` and `have_bytes`. */
  readonly details?: ErrorDetails;
}

/** The form in which an error travels in an ERROR frame and in `--json` output. */
export interface ErrorMessage {
  /** A code of the registry, or of a later version's. */
  readonly code: string;
  /** What happened, in one sentence. */
  readonly message: string;
  /** Whether the same call can succeed later without anybody changing anything. */
  readonly retry: boolean;
  /** One sentence that says what to do. */
  readonly hint: string;
  /** Facts for scripts. */
  readonly details?: ErrorDetails;
}

/** A failure with a stable code, for a caller to catch or a command to end with. */
export class TrivetError extends Error {
  /** The name of this class. */
  override readonly name = "TrivetError";
  /** The stable code. */
  readonly code: ErrorCode;
  /** Facts for scripts. */
  readonly details: ErrorDetails;

  /**
   * Makes an error.
   *
   * @param code The stable code.
   * @param message What happened: one sentence without a full stop, with the values that matter.
   * @param options The cause, and facts for scripts.
   */
  constructor(code: ErrorCode, message: string, options: TrivetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** Exit code that a command ends with. */
  get exitCode(): number {
    return ERROR_REGISTRY[this.code].exitCode;
  }

  /** Whether the same call can succeed later without anybody changing anything. */
  get retry(): boolean {
    return ERROR_REGISTRY[this.code].retry;
  }

  /** One sentence that says what to do. */
  get hint(): string {
    return ERROR_REGISTRY[this.code].hint;
  }

  /** The wire and `--json` form. */
  toMessage(): ErrorMessage {
    const base = { code: this.code, message: this.message, retry: this.retry, hint: this.hint };
    return Object.keys(this.details).length === 0 ? base : { ...base, details: this.details };
  }

  /** Rebuilds an error that a peer sent; a code this version does not know becomes `FAILED`. */
  static fromMessage(message: ErrorMessage): TrivetError {
    const known = isErrorCode(message.code);
    const text = known ? message.message : `${message.code}: ${message.message}`;
    const options = message.details === undefined ? {} : { details: message.details };
    return new TrivetError(known ? message.code as ErrorCode : "FAILED", text, options);
  }
}

/** Whether `code` is one of the registry. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_REGISTRY, code);
}
