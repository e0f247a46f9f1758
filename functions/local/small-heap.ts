/**
 * How much memory V8 keeps for young objects of a function, as in its image (functions/Dockerfile): functions/README.md
 * has the figures. What is old is bounded by the container's memory, which Node looks up.
 */
export const smallHeap = "--max-semi-space-size=2";
