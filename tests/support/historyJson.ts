// Histories to and from the JSON that Temporal's tools write and read. The SDK's historyToJSON does the same, but breaks
// where npm installs a copy of protobufjs per package of the SDK: here one copy, that of the messages, does all.
import { createRequire } from 'node:module';
import type { History } from '@temporalio/common/lib/proto-utils.js';

interface MessageType {
  readonly fromObject: (plain: object) => object;
}

interface ProtoJson {
  readonly toJson: (type: unknown, message: object) => unknown;
  readonly fromJson: (type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }) => unknown;
}

interface Patched {
  readonly lookupType: (name: string) => MessageType;
}

const typeName = 'temporal.api.history.v1.History';

function codec() {
  const sdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
  const messages = sdk('@temporalio/proto') as object;
  const { patchProtobufRoot } = sdk('@temporalio/proto/lib/patch-protobuf-root') as {
    patchProtobufRoot: (root: object) => Patched;
  };
  const protoJson = createRequire(sdk.resolve('@temporalio/proto'))('protobufjs/ext/protojson') as ProtoJson;
  return { type: patchProtobufRoot(messages).lookupType(typeName), protoJson };
}

/** @returns plain JSON, enums by their names, bytes as base64 */
export function historyToJson(history: History): unknown {
  const { type, protoJson } = codec();
  return protoJson.toJson(type, type.fromObject(history));
}

export function historyFromJson(json: unknown): History {
  const { type, protoJson } = codec();
  return protoJson.fromJson(type, json, { ignoreUnknownFields: true }) as History;
}
