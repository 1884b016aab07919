import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { escapeHtml, reportHtml, scriptJson } from '../../../lib/report/html.js';
import { reportData } from './report-sample.js';

const SCRIPT = 'document.title += "!";';
const assets = {
  script: SCRIPT,
  scriptHash: createHash('sha256').update(SCRIPT).digest('base64'),
  style: 'body{}',
};

/** The text between a tag that starts with `opening` and its end, as an HTML parser takes it: up to the first `</script`. */
function scriptText(html: string, opening: string): string {
  const start = html.indexOf('>', html.indexOf(opening)) + 1;
  return html.slice(start, start + html.slice(start).search(/<\/script/i));
}

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<!--<script>',
  ']]>',
  '\u2028\u2029\u0000',
  '"\'`$1\\',
  '\ud800',
];

describe('scriptJson', () => {
  it('says the same without any <', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = scriptJson(value);
        expect(text).not.toContain('<');
        expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
      }),
    );
  });

  it.each(HOSTILE)('takes %j', (name) => {
    const text = scriptJson({ name });
    expect(text).not.toContain('<');
    expect(JSON.parse(text)).toEqual({ name });
  });
});

describe('escapeHtml', () => {
  it('leaves no character that ends text or an attribute', () => {
    expect(escapeHtml(`<a href="x" id='y'>&`)).toBe('&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;');
  });
});

describe('reportHtml', () => {
  it('holds the data as it was given', () => {
    const data = reportData();
    expect(JSON.parse(scriptText(reportHtml(data, assets), '<script type="application/json"'))).toEqual(data);
  });

  it('holds hostile names as data, wherever they stand', () => {
    for (const name of HOSTILE) {
      const plain = reportData();
      const data = { ...plain, kernel: { ...plain.kernel, release: name, file: name }, stream: name };
      const html = reportHtml(data, assets);
      expect(html.match(/<script/g)).toHaveLength(2);
      expect(html).not.toContain('<!--');
      expect(JSON.parse(scriptText(html, '<script type="application/json"'))).toEqual(JSON.parse(JSON.stringify(data)));
      expect(/<title>(.*?)<\/title>/s.exec(html)![1]).not.toMatch(/[<>]/);
    }
  });

  it('lets only its own script run, and nothing be fetched', () => {
    const html = reportHtml(reportData(), assets);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    const directives = new Map(policy.split('; ').map((directive) => directive.split(/ (.*)/) as [string, string]));
    expect(directives.get('default-src')).toBe("'none'");
    const own = createHash('sha256').update(scriptText(html, '<script>')).digest('base64');
    expect(directives.get('script-src')).toBe(`'sha256-${own}'`);
    expect(html).not.toMatch(/\b(?:src|href)="(?!data:,")/);
  });

  it('stands before everything that it governs', () => {
    const html = reportHtml(reportData(), assets);
    expect(html.indexOf('Content-Security-Policy')).toBeLessThan(html.search(/<(script|style|link|body)/));
  });

  it('is the same for the same data', () => {
    expect(reportHtml(reportData(), assets)).toBe(reportHtml(reportData(), assets));
  });
});
