/** `npm run dev`: the whole graph on this machine, and saving a file restarts what imports it. */
import { runSession } from "./session.ts";

process.exit(await runSession(process.argv.slice(2), { reload: true }));
