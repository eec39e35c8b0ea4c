import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import { floorsRule } from './setup/floors-rule.mjs'

const TYPED = [
  'harness/**/*.ts',
  'fixtures/**/*.ts',
  'suites/**/*.ts',
  'bench/**/*.ts',
  'playwright.config.ts',
]
/** Named so to say that it is not used. */
const UNDERSCORED = { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }

export default tseslint.config(
  { ignores: ['dist/', 'reports/', '.cache/', 'node_modules/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    languageOptions: {
      globals: { process: false, console: false, URL: false, AbortSignal: false, AbortController: false },
    },
    rules: {
      eqeqeq: 'error',
      'no-unused-vars': ['error', UNDERSCORED],
      'max-lines': ['warn', { max: 300, skipBlankLines: true }],
    },
  },
  {
    files: TYPED,
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { bootwright: { rules: { floors: floorsRule } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      'bootwright/floors': 'error',
      // An assertion on a device waits: without its await it passes whatever the device does.
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: true, checkThenables: true }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', UNDERSCORED],
      // Numbers in messages are what messages are for.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // The rules below ask for other words, not for other behaviour.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // Interfaces here declare methods as methods, and objects of functions implement them.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/return-await': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      'no-control-regex': 'off',
      'no-empty-pattern': 'off',
    },
  },
  {
    // node:test returns a promise for each test that only its own nesting needs.
    files: ['**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          checkThenables: true,
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
            },
          ],
        },
      ],
      'max-lines': 'off',
    },
  },
)
