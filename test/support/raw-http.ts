import { connect } from 'node:net';

/** What comes back for these very bytes until the other side closes, or until `enough` says so. Nothing is sent after them. */
export const rawAnswer = (
  port: number,
  request: string | Buffer,
  enough: (answer: string) => boolean = () => false,
): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (enough(answer)) socket.destroy();
    });
    socket.on('close', () => resolve(answer));
    // A reset after an answer is an answer.
    socket.on('error', (error) => (answer === '' ? reject(error) : undefined));
  });

/** `HTTP/1.1 200`: those of every answer on the connection. */
export const statusesIn = (answer: string): number[] =>
  [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));

/** The first that is not merely 'go on'; undefined while there is none. */
export const finalStatus = (answer: string): number | undefined => statusesIn(answer).find((status) => status >= 200);
