/**
 * Node's `http` without 10 MB that an import brings: an import looks at every member of the module, and so loads a whole
 * WebSocket client. For a process that has to stay small.
 */
export const lightHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http');
