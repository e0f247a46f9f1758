/** `npm start`: the whole graph on this machine, until Ctrl-C. */
import { runSession } from "./session.ts";

process.exit(await runSession(process.argv.slice(2)));
