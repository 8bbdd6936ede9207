import tseslint from 'typescript-eslint';

const secrets = {
  selector: "Property[key.name='rejectUnauthorized'] > Literal[value=false]",
  message: 'Never: certificates are checked by ca and fingerprint.',
};

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.keel', 'adapters/charts/canvas-shim', '.dependency-cruiser.cjs'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      'no-restricted-syntax': ['error', secrets],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }],
      complexity: ['error', 20],
    },
  },
  {
    files: ['domain/**/*.ts', 'workflows/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Intl', 'process', 'crypto', 'fetch', 'structuredClone', 'Buffer'],
    },
  },
  {
    files: ['domain/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'Date',
          property: 'now',
          message: 'The domain has no clock: take the instant as a parameter.',
        },
        { object: 'Math', property: 'random', message: 'The domain has no randomness.' },
      ],
      'no-restricted-syntax': [
        'error',
        secrets,
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'The domain has no clock.',
        },
      ],
    },
  },
  {
    files: ['**/*'],
    ignores: [
      'config/**',
      '**/*.test.ts',
      'tests/**',
      'scripts/**',
      'vitest.config.ts',
      'cli/**',
      'bench/**',
      'deploy/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only config/ reads the environment.' },
        { object: 'Date', property: 'now', message: 'Use the clock port.' },
      ],
    },
  },
  {
    // Marked as deprecated by its package only to stand out: config/ allows http on this machine alone, outside production.
    files: ['adapters/oidc/provider.ts'],
    rules: {
      '@typescript-eslint/no-deprecated': [
        'error',
        { allow: [{ from: 'package', package: 'openid-client', name: 'allowInsecureRequests' }] },
      ],
    },
  },
  {
    files: ['workflows/**/*.ts', 'adapters/clocks/**/*.ts', 'simulator/**/*.ts'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env' }] },
  },
  {
    files: ['**/*.test.ts', 'tests/**/*.ts'],
    rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
