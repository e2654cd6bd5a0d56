// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.cli;

import java.nio.file.Path;

/** What turns a plan into a mount. */
interface MountOpener {
    /** Refuses what can be refused without asking the server or looking at the mount point. */
    void check(MountPlan plan) throws CommandFailure;

    /** Refuses what does not go together with this mount point, a real path. */
    void checkPlace(MountPlan plan, Path mountPoint) throws CommandFailure;

    /** Connects and mounts. When it fails nothing is left mounted. */
    LiveMount open(MountPlan plan) throws CommandFailure;
}
