// A door before a server, to be shut and opened: what stands behind it is then away for those who come through it.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Ends all connections and takes no more. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

export async function startTcpProxy(to: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const pass = (from: Socket): void => {
    const onward = connect(to);
    for (const [one, other] of [
      [from, onward],
      [onward, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  };
  const listen = async (port: number): Promise<Server> => {
    const made = createServer(pass).listen(port, '127.0.0.1');
    await once(made, 'listening');
    return made;
  };
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    shut: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    open: async () => {
      server = await listen(port);
    },
  };
}
