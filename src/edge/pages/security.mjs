// /.well-known/security.txt (RFC 9116): who is told of what is wrong with the host.

const DAY_MS = 86_400_000;

/** How long it holds, from the day on which it is asked for: the RFC wants less than a year. */
const VALID_DAYS = 180;

/** The file, made of who is told: a URI. It changes once a day, and never runs out while somebody serves it. */
export function security({ contact }, nowMs) {
  const expires = new Date((Math.floor(nowMs / DAY_MS) + VALID_DAYS) * DAY_MS)
    .toISOString()
    .replace(".000Z", "Z");
  return `Contact: ${contact}\nExpires: ${expires}\n`;
}
