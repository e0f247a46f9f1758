/**
 * `node functions/local/pins.ts`, a part of `npm run check`: which versions in knative/cluster/versions.env are past
 * their support, or older than a year. Both are warnings; a version without its date is an error.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { functionsDir } from "./discover.ts";

export interface Pin {
  /** "KNATIVE" of KNATIVE_VERSION. */
  readonly name: string;
  readonly version: string;
  readonly released: Date;
  /** Of the first release of its minor. */
  readonly minor?: Date;
  /** Goes by another's go.mod, so its age is not ours to change. */
  readonly follows?: string;
}

const dayMs = 86_400_000;
const yearDays = 365;

/**
 * How long a minor is supported from its first release on. Two of the three rules go by the date of a release to come,
 * which is reckoned from the projects' quarterly schedule; so the day is right to a few weeks.
 */
export const supportDays: Readonly<Record<string, number>> = {
  // Fourteen months: https://kubernetes.io/releases/patch-releases/#support-period
  KUBERNETES: 426,
  // Six weeks after the next minor but one: https://istio.io/latest/docs/releases/supported-releases/#support-policy
  ISTIO: 26 * 7 + 6 * 7,
  // A week after the next minor but one: knative/community, mechanics/RELEASE-SCHEDULE.md
  KNATIVE: 26 * 7 + 7,
};

/** The pins of versions.env; throws where one is not written as the others are. */
export function readPins(text: string): Pin[] {
  const lines = text.split("\n").filter((line) => line.startsWith(":"));
  return lines.map((line) => {
    const [, name = "", version = "", note = ""] =
      /^: "\$\{([A-Z_]+)_VERSION:=(\d+\.\d+\.\d+)\}"(?: # (.*))?$/.exec(line) ?? [];
    const released = /^released (\d{4}-\d\d-\d\d)/.exec(note)?.[1];
    const minor = /, minor (\d{4}-\d\d-\d\d)$/.exec(note)?.[1];
    const follows = /, as in (.+)$/.exec(note)?.[1];
    if (!released || (name in supportDays && !minor)) {
      throw new Error(
        `versions.env: ${name ? `${name}_VERSION` : line} has no date: write "# released 2026-01-31, minor 2026-01-31"`,
      );
    }
    return {
      name,
      version,
      released: new Date(released),
      ...(minor && { minor: new Date(minor) }),
      ...(follows && { follows }),
    };
  });
}

/** One sentence for each pin that should be renewed. */
export function warningsOf(pins: readonly Pin[], now: Date): string[] {
  return pins.flatMap(({ name, version, released, minor, follows }) => {
    const days = supportDays[name];
    const end = days && minor ? new Date(minor.getTime() + days * dayMs) : undefined;
    const title = `${name}_VERSION ${version}`;
    if (end && now > end) return [`${title} is past its support, since about ${dateOf(end)}`];
    const age = (now.getTime() - released.getTime()) / dayMs;
    return age > yearDays && !follows
      ? [`${title} is older than a year: it is of ${dateOf(released)}`]
      : [];
  });
}

function dateOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

if (import.meta.main) {
  try {
    const file = join(functionsDir, "../knative/cluster/versions.env");
    for (const warning of warningsOf(readPins(readFileSync(file, "utf8")), new Date())) {
      process.stdout.write(`warning: ${warning}; renew it in knative/cluster/versions.env\n`);
    }
  } catch (thrown) {
    process.stderr.write(`${(thrown as Error).message}\n`);
    process.exitCode = 1;
  }
}
