// Signals and queries of the workflows, defined once for those who handle and those who send.
import { defineQuery, defineSignal } from '@temporalio/workflow';
import { queryNames, signalNames } from '../contracts/wire/names.js';
import type { OrderProgress, OrderReport, OrderState } from '../contracts/wire/order.js';
import type { MarketReached, RunProgress } from '../contracts/wire/run.js';

export const marketReached = defineSignal<[MarketReached]>(signalNames.marketReached);
export const orderReport = defineSignal<[OrderReport]>(signalNames.orderReport);
export const orderState = defineSignal<[OrderState]>(signalNames.orderState);
export const cancelOrder = defineSignal(signalNames.cancelOrder);
export const runProgress = defineQuery<RunProgress>(queryNames.progress);
export const orderProgress = defineQuery<OrderProgress>(queryNames.progress);
