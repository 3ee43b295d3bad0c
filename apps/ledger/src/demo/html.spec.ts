import { expect, it } from '@jest/globals';
import { html, trusted } from './html.ts';

it('escapes what is put in, and leaves markup as it is', () => {
  const part = html`<b>${'<script>"\'&'}</b>`;
  expect(html`<p title="${'"'}">${part}${[1, 'a<']}</p>`.text).toBe(
    '<p title="&quot;"><b>&lt;script&gt;&quot;&#39;&amp;</b>1\na&lt;</p>',
  );
  expect(html`${trusted('<i>')}`.text).toBe('<i>');
});
