/** Loaded into a function's process by --import: answers each message of its parent with its memory after a collection. */
declare const gc: () => void;

process.on("message", () => {
  // Twice: what the first one finalizes is free after the second.
  gc();
  setTimeout(() => {
    gc();
    process.send?.({ rss: process.memoryUsage.rss() });
  }, 50);
});
// Its parent alone does not keep the process alive.
process.channel?.unref();
