import { defineConfig } from 'vitest/config';

// No test waits for a time to pass; a busy machine takes longer than the five seconds that tests have otherwise.
export default defineConfig({ test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 } });
