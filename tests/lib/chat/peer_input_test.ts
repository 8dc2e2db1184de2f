import { assertEquals } from "@std/assert";
import { type PeerInput, readPeerInput } from "../../../lib/chat/peer_input.ts";

const NAMES = ["bob", "小明"];

const CASES: [line: string, current: string | undefined, input: PeerInput][] = [
  ["bob: hello", undefined, { kind: "text", to: "bob", text: "hello" }],
  ["bob: see 10:30", "小明", { kind: "text", to: "bob", text: "see 10:30" }],
  ["小明: 你好", undefined, { kind: "text", to: "小明", text: "你好" }],
  ["hello", "bob", { kind: "text", to: "bob", text: "hello" }],
  ["Note: milk", "bob", { kind: "text", to: "bob", text: "Note: milk" }],
  ["http://a", "bob", { kind: "text", to: "bob", text: "http://a" }],
  ["bob:", undefined, { kind: "to", to: "bob" }],
  ["/to bob", undefined, { kind: "to", to: "bob" }],
  ["/to bob hi", undefined, { kind: "text", to: "bob", text: "hi" }],
  ["//etc", "bob", { kind: "text", to: "bob", text: "/etc" }],
  ["bye", "bob", { kind: "bye", to: "bob" }],
  ["bob: bye", "小明", { kind: "bye", to: "bob" }],
  ["good bye", "bob", { kind: "text", to: "bob", text: "good bye" }],
  ["/quit", "bob", { kind: "quit" }],
  ["  ", "bob", { kind: "nothing" }],
  ["hi\r", "bob", { kind: "text", to: "bob", text: "hi" }],
];

for (const [line, current, input] of CASES) {
  Deno.test(`readPeerInput() understands ${JSON.stringify(line)}`, { permissions: "none" }, () => {
    assertEquals(readPeerInput(line, { names: NAMES, current }), input);
  });
}

for (
  const [line, current] of [["hi", undefined], ["eve: hi", undefined], ["/to eve", "bob"], [
    "/x",
    "bob",
  ]]
) {
  Deno.test(`readPeerInput() refuses "${line}"`, { permissions: "none" }, () => {
    assertEquals(readPeerInput(line ?? "", { names: NAMES, current }).kind, "wrong");
  });
}
