// The import table of ARCHITECTURE.md, as rules. A folder that is not named here may not be imported by another.
const ours =
  'domain|contracts|ports|workflows|activities|adapters|simulator|db|config|worker|api|cli|ui|bench|scripts';
const test = '\\.test\\.ts$|/testing/';

/** `folder` may import, of our own folders, only `allowed` (regular expressions of paths). */
const only = (folder, allowed, packages) => {
  const from = { path: `^${folder}/`, pathNot: test };
  const rules = [
    {
      name: `${folder}-folders`,
      severity: 'error',
      from,
      to: { path: `^(${ours})/`, pathNot: [`^${folder}/`, ...allowed.map((path) => `^${path}`)].join('|') },
    },
  ];
  if (packages) {
    rules.push({
      name: `${folder}-packages`,
      severity: 'error',
      from,
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-no-pkg', 'core'],
        pathNot:
          packages.length === 0 ? '^$' : packages.map((name) => `^${name}$|node_modules/${name}/`).join('|'),
      },
    });
  }
  return rules;
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...only('domain', [], ['decimal.js']),
    ...only('contracts/wire', ['domain/'], []),
    ...only('contracts/http', ['contracts/wire/', 'domain/'], ['zod', 'zod-openapi']),
    ...only('ports', ['domain/', 'contracts/'], []),
    ...only(
      'workflows',
      ['contracts/wire/', 'activities/', 'domain/'],
      ['@temporalio/workflow', '@temporalio/common'],
    ),
    {
      // A rule that a workflow calls would break every open run once it is corrected; its types do no harm.
      name: 'workflows-take-activities-and-domain-as-types',
      severity: 'error',
      from: { path: '^workflows/', pathNot: test },
      to: { path: '^(activities|domain)/', dependencyTypesNot: ['type-only'] },
    },
    ...only('activities', ['ports/', 'domain/', 'contracts/']),
    {
      name: 'adapters-folders',
      severity: 'error',
      from: { path: '^adapters/([^/]+)/', pathNot: test },
      to: { path: `^(${ours})/`, pathNot: '^adapters/$1/|^ports/|^domain/|^contracts/' },
    },
    ...only('simulator', ['domain/', 'contracts/', 'ports/', 'db/migrate']).map((rule) => ({
      ...rule,
      from: { path: '^simulator/', pathNot: `^simulator/main|${test}` },
    })),
    {
      // Wires the simulator with the chain of prices that API and worker have.
      name: 'simulator-main-folders',
      severity: 'error',
      from: { path: '^simulator/main' },
      to: { path: `^(${ours})/`, pathNot: '^(simulator|domain|ports|config|adapters)/|^api/prices' },
    },
    ...only('db', ['ports/', 'domain/', 'contracts/']),
    ...only('config', []),
    {
      name: 'config-is-for-composition-roots',
      severity: 'error',
      from: {
        path: `^(${ours})/`,
        pathNot: `^(config|worker|api/main|cli|simulator/main|bench|scripts)|${test}`,
      },
      to: { path: '^config/' },
    },
    ...only('api/services', ['domain/', 'ports/', 'contracts/']),
    ...only('api/routes', ['contracts/', 'ports/', 'domain/access/', 'api/services/', 'api/errors']),
    {
      name: 'roots-are-not-imported',
      severity: 'error',
      from: { path: `^(${ours})/`, pathNot: `^(worker|cli|bench|scripts)/|${test}` },
      to: { path: '^(worker|cli)/|^api/main|^simulator/main' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '^dist/|^\\.keel/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
