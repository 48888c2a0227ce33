/** A JSON text's first key that an object of it has twice, or null. The text has been parsed: it is well-formed. */
const STRUCTURE = /"(?:[^"\\]|\\.)*"|[{}]/g;

export const repeatedKey = (json: string): string | null => {
  const open: Set<string>[] = [];
  for (const { 0: token, index } of json.matchAll(STRUCTURE)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (isKey(json, index + token.length)) {
      const key: string = JSON.parse(token); // `a` and `\u0061` are one key.
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return null;
};

const isKey = (json: string, after: number): boolean => {
  let at = after;
  while (at < json.length && ' \t\r\n'.includes(json.charAt(at))) at++;
  return json[at] === ':';
};
