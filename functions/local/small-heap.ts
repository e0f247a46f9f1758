/**
 * How much memory V8 keeps for young objects of a function, as in its image (functions/Dockerfile): functions/README.md
 * has the figures. What is old is bounded by the container's memory, which Node looks up.
 */
export const smallHeap = "--max-semi-space-size=8";

/** As in the image too. Each thread of V8's has an arena of glibc's otherwise, and keeps what it has freed. */
export const oneArena = { MALLOC_ARENA_MAX: "1" };

/**
 * What is old, on a machine without a container around the function: as much as Node takes in one of 256 MiB, which is
 * a function's default limit. From a laptop's memory V8 would reckon gigabytes, and collect so late.
 */
export const oldHeap = "--max-old-space-size=128";
