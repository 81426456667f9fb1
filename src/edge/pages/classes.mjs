// The types of clicks as pictures show them: eyes tell eight colours apart, and twelve types are too many.

/** What each class is called. Its place is its colour; people's is the first, as they stand at the bottom. */
export const NAMES = [
  "People",
  "Safe Links",
  "Safe Attachments",
  "Campaign correlation",
  "Investigations",
  "Mail gateways",
  "Sweeps and repeats",
  "Other programs",
];

const CLASSES = {
  human: 0,
  scanner_safelinks_delivery: 1,
  scanner_timeofclick: 1,
  scanner_safe_attachments: 2,
  scanner_campaign_view: 3,
  scanner_air_or_mbi: 4,
  scanner_gateway: 5,
  scanner_sweep: 6,
  scanner_fanout: 6,
  scanner_repeat: 6,
};

/** The class of a type: what a later version tells of is one of the others. */
export const classOf = (type) => CLASSES[type] ?? NAMES.length - 1;

/** Clicks by class: none of any. */
export const emptyStack = () => NAMES.map(() => 0);

/** Adds counts by type to those by class. */
export function add(stack, byType) {
  for (const [type, count] of Object.entries(byType)) stack[classOf(type)] += count;
  return stack;
}

/** How many there are of all classes. */
export const total = (stack) => stack.reduce((sum, count) => sum + count, 0);

/** Stacks as one. */
export const sumOf = (stacks) =>
  stacks.reduce((sum, stack) => sum.map((count, at) => count + stack[at]), emptyStack());
