// All activities of the worker, as one record: what workflows see as types and the worker registers.
import type { AdmissionDeps } from './admission.js';
import { createAdmissionActivities } from './admission.js';
import type { AnalysisDeps } from './analysis.js';
import { createAnalysisActivities } from './analysis.js';
import type { BarsDeps } from './bars.js';
import { createBarsActivities } from './bars.js';
import type { BrokerSessionDeps } from './brokerSession.js';
import { createBrokerSessionActivities } from './brokerSession.js';
import type { BrokerStateDeps } from './brokerState.js';
import { createBrokerStateActivities } from './brokerState.js';
import type { ChartDeps } from './chart.js';
import { createChartActivities } from './chart.js';
import type { DecisionDeps } from './decision.js';
import { createDecisionActivities } from './decision.js';
import type { MonitorDeps } from './monitors.js';
import { createMonitorActivities } from './monitors.js';
import type { NotificationDeps } from './notifications.js';
import { createNotificationActivities } from './notifications.js';
import type { OrderDeps } from './order.js';
import { createOrderActivities } from './order.js';
import type { PanelDeps } from './panel.js';
import { createPanelActivities } from './panel.js';
import type { PriceDeps } from './prices.js';
import { createPriceActivities } from './prices.js';
import type { RiskDeps } from './risk.js';
import { createRiskActivities } from './risk.js';
import type { RunDeps } from './run.js';
import { createRunActivities } from './run.js';

export type ActivityDeps = RunDeps &
  BarsDeps &
  ChartDeps &
  AnalysisDeps &
  DecisionDeps &
  PanelDeps &
  RiskDeps &
  AdmissionDeps &
  OrderDeps &
  BrokerStateDeps &
  MonitorDeps &
  NotificationDeps &
  PriceDeps &
  BrokerSessionDeps;

export function createActivities(deps: ActivityDeps) {
  return {
    ...createRunActivities(deps),
    ...createBarsActivities(deps),
    ...createChartActivities(deps),
    ...createAnalysisActivities(deps),
    ...createDecisionActivities(deps),
    ...createPanelActivities(deps),
    ...createRiskActivities(deps),
    ...createAdmissionActivities(deps),
    ...createOrderActivities(deps),
    ...createBrokerStateActivities(deps),
    ...createMonitorActivities(deps),
    ...createNotificationActivities(deps),
    ...createPriceActivities(deps),
    ...createBrokerSessionActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
