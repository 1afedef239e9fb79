// Stands for Anthropic: answers each request as a turn needs it, and keeps its token in /tmp/bearers.
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
const model = "claude-opus-4-6";
const usage = { input_tokens: 1, output_tokens: 1 };
const events = [
  { type: "message_start", message: { id: "msg_1", type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "hello" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage },
  { type: "message_stop" },
];
createServer((request, response) => {
  request.resume().on("end", () => {
    appendFileSync("/tmp/bearers", `${request.headers.authorization}\n`);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join(""));
  });
}).listen(8099, "127.0.0.1");
