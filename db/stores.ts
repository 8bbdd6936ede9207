// All stores of one process in one record. Called by the composition roots.
import type { Mode } from '../contracts/wire/names.js';
import type { EquityStore, MonitorStore } from '../ports/monitors.js';
import type { NotificationStore } from '../ports/notifications.js';
import type { ApiKeyStore, AttemptStore, LoginStore, SecondFactorStore, UserStore } from '../ports/access.js';
import type { IdentityStore } from '../ports/identity.js';
import type { ConversationStore } from '../ports/conversations.js';
import type { DefinitionStore } from '../ports/definitions.js';
import type { ModelAbilityStore } from '../ports/modelAbilities.js';
import type { RulesOpinionStore } from '../ports/rulesOpinions.js';
import type { BrokerSessionStore } from '../ports/brokerSession.js';
import type { EvidenceStore } from '../ports/evidence.js';
import type { AuditStore } from '../ports/audit.js';
import type { BrokerStateStore, IntentStore, RunStore, StrategyStore } from '../ports/stores.js';
import { createApiKeyStore } from './apiKeys.js';
import { createAttemptStore } from './attempts.js';
import { createAuditStore } from './audit.js';
import { createBrokerSessionStore } from './brokerSession.js';
import { createBrokerStateStore } from './brokerState.js';
import type { Database } from './connect.js';
import { createConversationStore } from './conversations.js';
import { createDefinitionStore } from './definitions.js';
import { createEvidenceStore } from './evidence.js';
import { createModelAbilityStore } from './modelAbilities.js';
import { createEquityStore, createMonitorStore } from './monitors.js';
import { createNotificationStore } from './notifications.js';
import { createIdentityStore } from './identities.js';
import { createIntentStore } from './intents.js';
import { createLoginStore } from './logins.js';
import { createRulesOpinionStore } from './rulesOpinions.js';
import { createRunStore } from './runs.js';
import { createSecondFactorStore } from './secondFactors.js';
import { createStrategyStore } from './strategies.js';
import { createUserStore } from './users.js';

export interface Stores {
  readonly strategies: StrategyStore;
  readonly definitions: DefinitionStore;
  readonly runs: RunStore;
  readonly evidence: EvidenceStore;
  readonly intents: IntentStore;
  readonly brokerState: BrokerStateStore;
  readonly brokerSessions: BrokerSessionStore;
  readonly audit: AuditStore;
  readonly monitors: MonitorStore;
  readonly equity: EquityStore;
  readonly notifications: NotificationStore;
  readonly users: UserStore;
  readonly logins: LoginStore;
  readonly attempts: AttemptStore;
  readonly apiKeys: ApiKeyStore;
  readonly secondFactors: SecondFactorStore;
  readonly identities: IdentityStore;
  readonly conversations: ConversationStore;
  readonly modelAbilities: ModelAbilityStore;
  readonly rulesOpinions: RulesOpinionStore;
}

export const createStores = (db: Database, mode: Mode): Stores => ({
  strategies: createStrategyStore(db, mode),
  definitions: createDefinitionStore(db, mode),
  runs: createRunStore(db, mode),
  evidence: createEvidenceStore(db, mode),
  intents: createIntentStore(db, mode),
  brokerState: createBrokerStateStore(db, mode),
  brokerSessions: createBrokerSessionStore(db, mode),
  audit: createAuditStore(db, mode),
  monitors: createMonitorStore(db, mode),
  equity: createEquityStore(db, mode),
  notifications: createNotificationStore(db, mode),
  users: createUserStore(db, mode),
  logins: createLoginStore(db, mode),
  attempts: createAttemptStore(db),
  apiKeys: createApiKeyStore(db, mode),
  secondFactors: createSecondFactorStore(db, mode),
  identities: createIdentityStore(db, mode),
  conversations: createConversationStore(db, mode),
  modelAbilities: createModelAbilityStore(db, mode),
  rulesOpinions: createRulesOpinionStore(db, mode),
});
