/** Tests run as ES modules; swc only strips the types, `npm run check` is where they are checked. */
const project = (name, testMatch) => ({
  displayName: name,
  testMatch: testMatch.map((glob) => `<rootDir>/test/${glob}`),
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
});

export default {
  projects: [
    project('unit', ['tidy.test.ts', '{lib,cli,scripts}/**/*.test.ts']),
    project('conformance', ['conformance/**/*.test.ts']),
    project('slow', ['slow/**/*.test.ts']),
    project('package', ['package.test.ts']),
    project('browser', ['browser/**/*.test.ts']),
  ],
  testTimeout: 60_000,
  // Half of the time goes into child processes.
  maxWorkers: '100%',
};
