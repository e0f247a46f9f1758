import {
  type ChannelInterface,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  type StatusObject,
  status,
} from "@grpc/grpc-js";

export interface UnaryCall<Response> {
  /** Rejects with a ServiceError. */
  readonly response: Promise<Response>;
  cancel(): void;
}

/**
 * A unary call on the channel itself. grpc-js' own Client.makeUnaryRequest does the same by way of an event emitter,
 * three layers for interceptors, of which there are none here, and the stack of each call in case that it fails.
 */
export function callUnary<Request, Response>(
  channel: ChannelInterface,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
  request: Request,
  { metadata, deadline }: { metadata: Metadata; deadline: number },
): UnaryCall<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const call = channel.createCall(path, deadline, undefined, null, undefined);
  let message: Buffer | undefined;
  call.start(metadata, {
    onReceiveMetadata() {},
    onReceiveMessage(received) {
      message = received;
    },
    onReceiveStatus(last) {
      if (last.code !== status.OK) return reject(serviceError(last));
      // As grpc-js' own client has it, for a server that does not keep to its protocol.
      if (!message) return reject(internal("Not enough responses received"));
      try {
        resolve(responseDeserialize(message));
      } catch (thrown) {
        reject(internal(`Response message parsing error: ${(thrown as Error).message}`));
      }
    },
  });
  call.startRead();
  call.sendMessageWithContext({}, requestSerialize(request));
  call.halfClose();
  return {
    response: promise,
    cancel: () => call.cancelWithStatus(status.CANCELLED, "Cancelled on client"),
  };
}

function internal(details: string): ServiceError {
  return serviceError({ code: status.INTERNAL, details, metadata: new Metadata() });
}

function serviceError({ code, details, metadata }: StatusObject): ServiceError {
  const error = new Error(`${code} ${status[code]}: ${details}`);
  return Object.assign(error, { code, details, metadata });
}
