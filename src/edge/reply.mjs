// The one way out of wasm: what a request comes to, made of everything in a single call.

/**
 * - `text`: by lines, the name of the object that is told of it, the line for the log (each may be empty), then the names and
 *   values of the answer's headers
 * - `body`: bytes in wasm's memory, a stream, or nothing
 * - `record`: what the object is told, in wasm's memory
 */
export function reply(status, text, body, record) {
  const [object, line, ...fields] = text.split("\n");
  const headers = {};
  // Of two headers of one name the last one counts.
  for (let i = 0; i < fields.length; i += 2) headers[fields[i]] = fields[i + 1];
  // Wasm's memory is written again: what outlives this call is a copy.
  const content = body instanceof Uint8Array ? body.slice() : (body ?? null);
  return {
    response: new Response(content, { status, headers }),
    line,
    object,
    record: object ? record.slice() : null,
  };
}

/** A web page that is made outside of wasm: its form, and the JSON of which it is made. */
export function page(form, json) {
  return { page: { form, json } };
}
