// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.vfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsException;
import io.netfs4j.server.RemotePath;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Locks of which a mount is not told in time, or not truly, what has become of them. */
@Timeout(60)
class UnsureLocksTest extends OneSecond {
    /** Whether the server does not take a lock away, or tells of none that it has made. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLockLeftBehind_holdsUpNobodyHere_andGoesAtTheEnd(boolean unheard) throws Exception {
        try (Client one = new Client()) {
            OpenFile ours = one.open("f");
            one.answersBadly.set(unheard);
            one.keepsLocks.set(unheard ? 0 : 2);
            for (int n = 0; n < 2; n++) {
                one.write(ours, n, "A");
                one.save(ours);
            }
            one.vfs.release(ours);
            assertThat(one.asked.get()).isLessThan(10);
        }
        assertThat(onServer("f")).isEqualTo("AA23456789");
        assertNothingIsLocked();
    }

    /** Another mount has taken it for a dead one's, and has gone on. */
    @Test
    void aLockThatIsHeardOfLate_isLookedAtAgain() throws Exception {
        try (Client one = new Client();
                Client two = new Client()) {
            OpenFile ours = one.open("f");
            OpenFile theirs = two.open("f");
            one.write(ours, 0, "AAA");
            two.write(theirs, 7, "BBB");
            one.afterLock.set(() -> {
                try {
                    later.addAndGet(EXPIRY_NANOS);
                    store.remove(UploadLock.name(RemotePath.ROOT.child("f")));
                    two.save(theirs);
                } catch (FsException e) {
                    throw new IllegalStateException(e);
                }
            });
            one.assertSavingTellsOfIt(ours);
            one.save(ours);
            one.vfs.release(ours);
            two.vfs.release(theirs);
        }
        assertBothAreThere("0123456BBB", "AAA3456789");
        assertNothingIsLocked();
    }
}
