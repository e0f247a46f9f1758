/** What a driver would refuse later, or read otherwise than it was meant. */
export function urlProblem(url: string): string | undefined {
  if (/[#\s]/.test(url)) return "a # or a blank in the user or password is written as %23 or %20";
  // Of several hosts, which only MongoDB's URLs have, the first stands for all.
  const first = url.replace(/^(mongodb[^@,]*@?[^,/]*)(,[^/?]*)/, "$1");
  if (!URL.canParse(first)) {
    return "it is no URL: percent-encode what is special in user and password, and give a port from 1 to 65535";
  }
  return new URL(first).hostname ? undefined : "a host is missing";
}

/** "host:port", port 80 where none is given; undefined for anything else. */
export function readAddress(text: string): string | undefined {
  const [, port = 80] = /^(?:\[[\da-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? ["", 0];
  if (!(Number(port) >= 1 && Number(port) <= 65_535)) return undefined;
  return /:\d+$/.test(text) ? text : `${text}:80`;
}
