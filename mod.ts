/**
 * Trivet as a library: the netdisk's client and server, the clock's client, the frame codec, the
 * transfer engine, and the rules for paths and errors that both sides share.
 *
 * @example Upload a file and read it back
 * ```ts ignore
 * import { NetdiskClient } from "@trivet/trivet";
 *
 * await using netdisk = await NetdiskClient.connect({
 *   server: "disk.lan",
 *   fingerprint: "SHA256:cn6NnOWVh28YtRncB4FLmtYd1UEHYQHNUod7OdHx0xY",
 *   credentials: { token: Deno.env.get("TRIVET_TOKEN") ?? "" },
 * });
 * const { stored } = await netdisk.put("big.iso", "/images/");
 * for await (const entry of netdisk.list("/images")) console.log(entry.name, entry.size);
 * await netdisk.get(`/${stored.path.join("/")}`, "copy.iso");
 * ```
 *
 * @example Serve a netdisk from within a program
 * ```ts no-eval
 * import { serve } from "@trivet/trivet";
 *
 * const data = await Deno.makeTempDir();
 * await using server = await serve({ data, port: 0, registration: "closed" });
 * console.log(server.addresses, server.fingerprint);
 * await server.shutdown();
 * ```
 *
 * @module
 */

// Errors.
export {
  ERROR_REGISTRY,
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  type ErrorMessage,
  EXIT,
  isErrorCode,
  TrivetError,
  type TrivetErrorOptions,
} from "./lib/errors.ts";
export { VERSION } from "./lib/version.ts";

// The netdisk's client.
export {
  type CatOptions,
  type GetOptions,
  NetdiskClient,
  type NetdiskClientOptions,
  type PutOptions,
} from "./client/netdisk.ts";
export type { DoctorOptions, DoctorReport, DoctorStep } from "./client/doctor/examine.ts";
export type { LinkSpeeds, MeasuredWay, TransferLimit, TransferPart } from "./lib/doctor/verdict.ts";
export type { MachineSpeeds } from "./lib/doctor/speeds.ts";
export type {
  GetTreeOptions,
  PlannedTransfer,
  PutTreeOptions,
  TreeTransferOptions,
} from "./client/tree/client_trees.ts";
export type { TreeOptions, TreeProgress, TreeResult } from "./client/tree/tree_types.ts";
export type { ConnectOptions } from "./client/connect_options.ts";
export type { LeftOut, LeftOutKind } from "./client/tree/left_out.ts";
export type { SyncChange, SyncResult, SyncTreesOptions } from "./client/tree/sync_types.ts";
export type {
  Credentials,
  KeyCredentials,
  PasswordCredentials,
  TokenCredentials,
} from "./client/session.ts";
export {
  FileTrustStore,
  type KnownTrust,
  MemoryTrustStore,
  type TrustStore,
} from "./client/trust.ts";
export type {
  Account,
  CopyResult,
  DigestPage,
  DiskUsage,
  DurabilityMode,
  ListPage,
  NetdiskEntry,
  NewToken,
  NewTokenOptions,
  OverwriteMode,
  ResumeMode,
  StoredFile,
  TokenInfo,
  TokenScope,
  TrashItem,
} from "./client/netdisk_types.ts";
export type { DownloadResult } from "./client/download.ts";
export type { DownloadStreamResult } from "./client/download_stream.ts";
export type { UploadResult } from "./client/upload.ts";
export type {
  PartialTransfer,
  TransferOptions,
  TransferProgress,
} from "./client/transfer_types.ts";
export type { KnownServer, PinnedServer, WebpkiServer } from "./lib/link/known_servers.ts";
export type { UnknownServer } from "./lib/link/dial.ts";
export type { CertificateInfo } from "./lib/link/certificate.ts";

// Remote commands.
export { ExecClient, type ExecClientOptions, type ExecOptions } from "./client/exec.ts";
export { RemoteCommand } from "./client/exec/remote_command.ts";
export type { CommandEnd, ListedCommand } from "./client/exec/exec_types.ts";
export { COMMAND_SIGNALS, type CommandSignal } from "./lib/exec/signals.ts";
export type { ExecOptions as ExecServeOptions } from "./server/exec/service.ts";

// The chat's client.
export {
  ChatClient,
  type ChatClientOptions,
  type ChatFollowOptions,
  type ChatHistoryOptions,
  type ChatPage,
  type ChatSendOptions,
} from "./client/chat.ts";
export type { ChatTransportOptions } from "./client/chat_dialer.ts";
export { CHAT_TRANSPORTS, type ChatTransport } from "./client/chat_transports.ts";
export type { NetemOptions } from "./lib/datagram/netem.ts";
export type {
  ChatEvent,
  ChatMember,
  ChatMessage,
  ChatRoom,
  RoomRole,
} from "./client/chat_types.ts";

// The clock's client.
export {
  type ClockCallOptions,
  ClockClient,
  type ClockClientOptions,
  type ClockFormatOptions,
} from "./client/clock.ts";
export type { ClockSync, SyncOptions } from "./client/clock/measure.ts";
export type { LeapSecond } from "./client/clock/ntp_question.ts";

// Paths of the netdisk.
export {
  checkPath,
  formatPath,
  NAME_MAX_BYTES,
  NAME_RULES,
  type NameRules,
  parsePath,
  PATH_MAX_BYTES,
  PATH_MAX_LEVELS,
  type PathOptions,
} from "./lib/netdisk/path.ts";

// The frame codec.
export {
  DATA_OFFSET_MAX,
  DATA_PREFIX_BYTES,
  type Frame,
  FRAME_DATA_MAX_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_GUEST_MAX_BYTES,
  FRAME_PAYLOAD_MAX_BYTES,
  FRAME_TYPE_SKIPPABLE_MIN,
  FrameError,
  FrameType,
  isKnownFrameType,
} from "./lib/frame/frame.ts";
export {
  DATA_FRAME_BYTES_AT,
  encodeControl,
  encodeFrame,
  sealDataFrame,
} from "./lib/frame/encode.ts";
export * from "./lib/frame/decode.ts";

// The transfer engine.
export * from "./lib/transfer/chunks.ts";
export * from "./lib/transfer/digest.ts";
export * from "./lib/transfer/journal.ts";
export * from "./lib/transfer/receiver.ts";
export * from "./lib/transfer/sender.ts";
export * from "./lib/transfer/sidecar.ts";
export * from "./lib/transfer/sink.ts";
export * from "./lib/transfer/source.ts";
export * from "./lib/transfer/verify.ts";

// The server.
export {
  DRAIN_TIMEOUT_MS,
  type RunningServer,
  serve,
  type ServeOptions,
  type ServiceName,
  SERVICES,
} from "./server/serve.ts";
export {
  DEFAULT_QUOTA_BYTES,
  type NetdiskServeOptions,
  type UdpAddress,
} from "./server/netdisk_service.ts";
export type { ChatOptions } from "./server/chat/hub.ts";
export type { ChatCatalogLimits } from "./server/store/catalog_chat.ts";
export type { AuditOptions } from "./server/audit.ts";
export type { LimitOptions } from "./server/limit_config.ts";
export type { Rotation } from "./server/rotating_file.ts";
export type { ClassicOptions } from "./server/classic/service.ts";
export type { ClassicTimeouts } from "./server/classic/wire.ts";
export type { TimeAddress, TimeOptions, TimeServiceName } from "./server/clock/service.ts";
export type { Address, TcpAddress, UnixAddress } from "./lib/link/address.ts";
