/**
 * The little of Markdown that answers use, as a list of blocks that components draw as text. No HTML is ever made of it:
 * what is not understood is shown as it was written.
 */

export type Span = { type: "text" | "code" | "strong" | "em"; text: string };

export type Block =
  | { type: "p" | "quote"; spans: Span[] }
  | { type: "heading"; level: number; spans: Span[] }
  | { type: "item"; ordered: string | null; depth: number; spans: Span[] }
  | { type: "code"; language: string; text: string }
  | { type: "table"; head: Span[][]; rows: Span[][][]; align: ("left" | "center" | "right" | undefined)[] }
  | { type: "rule" };

/** Underscores and stars inside of words, in names such as `__init__` and in products stay what they are. */
const SPAN = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|(?<!\w)__(?!\w+__)([^_\n]+)__(?!\w)|(?<![\w*])\*([^*\s](?:[^*\n]*[^*\s])?)\*(?![\w*])/g;
const RULER = /^\|?(\s*:?-+:?\s*\|)*(\s*:?-+:?)?$/;

/** A table's line, apart at its bars; `\\|` is no bar. */
function cells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function alignOf(rule: string): "left" | "center" | "right" | undefined {
  if (rule.endsWith(":")) return rule.startsWith(":") ? "center" : "right";
  return rule.startsWith(":") ? "left" : undefined;
}

export function spans(text: string): Span[] {
  const found: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    if (match.index > at) found.push({ type: "text", text: text.slice(at, match.index) });
    const [whole, code, strong, under, em] = match;
    if (code !== undefined) found.push({ type: "code", text: code });
    else if (strong ?? under) found.push({ type: "strong", text: (strong ?? under)! });
    else found.push({ type: "em", text: em! });
    at = match.index + whole.length;
  }
  if (at < text.length) found.push({ type: "text", text: text.slice(at) });
  return found;
}

export function blocks(text: string): Block[] {
  const found: Block[] = [];
  const lines = text.split("\n");
  let paragraph: string[] = [];
  const flush = (): void => {
    if (paragraph.length) found.push({ type: "p", spans: spans(paragraph.join("\n")) });
    paragraph = [];
  };
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n]!;
    const fence = /^\s{0,3}(```+|~~~+)\s*([\w+#.-]*)\s*$/.exec(line);
    if (fence) {
      flush();
      const code: string[] = [];
      n++;
      while (n < lines.length && !lines[n]!.trimStart().startsWith(fence[1]!)) code.push(lines[n++]!);
      found.push({ type: "code", language: fence[2]!, text: code.join("\n") });
      continue;
    }
    const ruler = lines[n + 1] ?? "";
    if (line.includes("|") && ruler.includes("|") && RULER.test(ruler.trim()) && cells(line).length === cells(ruler).length) {
      flush();
      const align = cells(ruler).map(alignOf);
      const rows: Span[][][] = [];
      for (n += 2; n < lines.length && lines[n]!.includes("|"); n++) rows.push(align.map((_, i) => spans(cells(lines[n]!)[i] ?? "")));
      n--;
      found.push({ type: "table", head: cells(line).map(spans), rows, align });
      continue;
    }
    const heading = /^(#{1,6})\s+(.+)$/.exec(line);
    const item = /^(\s*)(?:[-*+]|(\d{1,4})[.)])\s+(.+)$/.exec(line);
    if (line.trim() === "") flush();
    else if (heading) {
      flush();
      found.push({ type: "heading", level: heading[1]!.length, spans: spans(heading[2]!) });
    } else if (/^\s{0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
      flush();
      found.push({ type: "rule" });
    } else if (item) {
      flush();
      found.push({ type: "item", ordered: item[2] ?? null, depth: Math.min(4, Math.floor(item[1]!.length / 2)), spans: spans(item[3]!) });
    } else if (/^>\s?/.test(line)) {
      flush();
      found.push({ type: "quote", spans: spans(line.replace(/^>\s?/, "")) });
    } else paragraph.push(line);
  }
  flush();
  return found;
}
