import { lightHttp } from '#lib/light-http.ts';

/** More than all series of an API with many workers. */
const longestAnswerBytes = 8 * 1024 * 1024;

/** The metrics of an API, over a new connection. @param token a secret @throws why there are none */
export function readMetrics(url: URL, token: string | undefined, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'atalaya-monitor', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    const sent = lightHttp().request(url, { signal, agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > longestAnswerBytes) response.destroy(new Error(`its answer is longer than ${longestAnswerBytes} bytes`));
      });
      response.once('error', reject).once('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`${url.origin} answers HTTP ${response.statusCode}`));
      });
    });
    sent.once('error', reject).end();
  });
}
