// The words of a send's page that need explaining, and how much a finding matters.

/** How a finding's weight is called, the gravest first. */
export const WEIGHTS = { critical: "Act now", warning: "Before the next send", info: "Good to know" };

export const GLOSSARY = [
  [
    "As a naive tracker counts",
    "Every request of a tracked link is a click, and clicks are divided by mails sent. Scanners click, too, and some click " +
      "every link: so this may exceed 100 %.",
  ],
  [
    "People",
    "Recipients with at least one click that a person made, divided by mails sent. However often somebody clicks, it is one " +
      "person.",
  ],
  [
    "Provisional",
    "A verdict needs the clicks before and after. It settles about a minute after its click; late evidence may still amend " +
      "it.",
  ],
  [
    "Certain, probable",
    "Certain: the evidence cannot come from a person. Probable: it points one way, and a person could have left it. Proof of " +
      "a person overturns what is probable.",
  ],
  [
    "Safe Links",
    "Microsoft 365 sends links through its own service. It checks some as a mail is delivered, and others in the moment in " +
      "which somebody clicks: then one click of a person makes two requests.",
  ],
  [
    "Safe Attachments",
    "Microsoft opens a mail in a sandbox before it is delivered, and follows all its links.",
  ],
  [
    "Campaign correlation",
    "Microsoft groups alike mails to many recipients and fetches one link for all of them at once.",
  ],
  [
    "Investigations",
    "After an alarm Microsoft looks into mails that were delivered long ago, and crawls their links (AIR: automated " +
      "investigation and response; MBI: mailbox intelligence).",
  ],
  ["Mail gateways", "Services that companies put before their mailboxes; they open links to check them."],
  [
    "Sweeps and repeats",
    "Several links of one mail at once, one link of many mails at once, or one link again and again: faster or longer than " +
      "people do.",
  ],
  ["Other programs", "Programs that say what they are, or whose requests look like no browser’s."],
];
