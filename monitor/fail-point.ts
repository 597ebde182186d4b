/** Moments at which a crash would hurt most. Tests end the process there; in production nothing happens. */
export type FailPoint = 'alert-committed' | 'send-begun' | 'send-accepted';

export type ReachFailPoint = (point: FailPoint) => void;

export const noFailPoint: ReachFailPoint = () => {};
