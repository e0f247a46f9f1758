/** Loaded into a function's process by --import: answers each message of its parent with its memory after a collection. */
declare const gc: (options: { type: "major"; execution: "sync"; flavor: "last-resort" }) => void;

// "last-resort" gives V8's free pages back as well: of the largest moment it would keep 100 MiB for a while.
const collect = () => gc({ type: "major", execution: "sync", flavor: "last-resort" });

process.on("message", () => {
  // Twice: what the first one finalizes is free after the second.
  collect();
  setTimeout(() => {
    collect();
    process.send?.({ rss: process.memoryUsage.rss() });
  }, 50);
});
// Its parent alone does not keep the process alive.
process.channel?.unref();
