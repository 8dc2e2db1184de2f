/**
 * Splits text into lines. Written for this project from the documented behaviour of
 * `@std/streams/text-line-stream`.
 *
 * @module
 */

/** Options of {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /** Whether a lone carriage return ends a line too. */
  allowCR?: boolean;
}

/**
 * Splits text at LF and CRLF, whatever the chunks are; an empty line at the end is left out. A line
 * is held until its end arrives: put a limit in front where a peer decides the length.
 */
export class TextLineStream extends TransformStream<string, string> {
  #pending = "";

  constructor(options: TextLineStreamOptions = {}) {
    super({
      transform: (chunk, controller) => {
        const text = this.#pending + chunk;
        // A CR at the end may be half of a CRLF: whether it ends a line shows in the next chunk.
        const held = options.allowCR && text.endsWith("\r") ? "\r" : "";
        const pattern = options.allowCR ? /\r\n|\n|\r/ : /\r?\n/;
        const lines = text.slice(0, text.length - held.length).split(pattern);
        this.#pending = (lines.pop() ?? "") + held;
        for (const line of lines) controller.enqueue(line);
      },
      flush: (controller) => {
        if (this.#pending === "") return;
        const endsLine = options.allowCR && this.#pending.endsWith("\r");
        controller.enqueue(endsLine ? this.#pending.slice(0, -1) : this.#pending);
      },
    });
  }
}
