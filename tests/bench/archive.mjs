// What became of clicks: the events in the bucket, and the log's lines on those that no object took.

const BUCKET = "clickproof-events";

/** Every event in the bucket of a server, parsed. */
export function archived(server) {
  const texts = [...server.platform.bucket(BUCKET).objects.values()].map(String);
  return texts.flatMap((text) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
}

/** Counts clicks that went to the second queue and those that were lost, by the lines that `note` is given. */
export function losses() {
  const lost = { spilled: 0, unrecorded: 0, note };
  function note(line) {
    if (line.startsWith('{"event":"click.spilled"')) lost.spilled += JSON.parse(line).clicks;
    else if (line.startsWith('{"event":"click.unrecorded"')) lost.unrecorded += 1;
  }
  return lost;
}

/** Rows as a table of markdown. */
export function table(rows) {
  return rows.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
