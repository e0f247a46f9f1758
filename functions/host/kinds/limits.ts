/** How many messages a subscriber shows unless it is asked for another number, and at most. */
export const defaultMessages = 20;
export const maxMessages = 1_000;
