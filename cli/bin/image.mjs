// The `keel` command in a container image: dist/ is there and current, so nothing is set up first.
import { main } from '../../dist/cli/main.js';

process.exit(await main(process.argv.slice(2)));
