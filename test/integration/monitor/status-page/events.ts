/** Server-sent events as they come, each a text of several lines. */
export async function* eventsOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield text.slice(0, end);
      text = text.slice(end + 2);
    }
  }
}

/** The id of an event that says that something has changed; empty for any other. */
export const changedId = (event: string | void): string => /^id: (\S+)\nevent: changed\n/.exec(event ?? '')?.[1] ?? '';
