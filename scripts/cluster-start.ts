/** A control plane to try things on by hand, until Ctrl-C: the same that the tests use. Words after `--` are flags of kube-apiserver. */

import { ControlPlane } from '../test/support/cluster/control-plane.ts';
import { StandInKubelet } from '../test/support/cluster/stand-in-kubelet.ts';
import { missingTools, requireTools } from '../test/support/cluster/tools.ts';

const missing = missingTools();
if (missing !== false) {
  process.stderr.write(`${missing}\n`);
  process.exit(1);
}
const plane = await ControlPlane.start({ flags: process.argv.slice(2) });
await new StandInKubelet(plane.admin).register();
process.stdout.write(`
export KUBECONFIG=${plane.kubeconfig}
kubectl: ${requireTools().kubectl}
API server: ${plane.server} (log, audit log and certificates in ${plane.directory})
etcd: ${plane.etcd.url}
There is no kubelet, scheduler or controller. Ctrl-C ends it and leaves nothing.
`);
const end = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.resolve());
const hold = setInterval(() => undefined, 60_000);
await end.promise;
clearInterval(hold);
await plane.stop();
