// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.vfs.Attributes;

import org.junit.jupiter.api.Test;

import java.time.Instant;

/** What the model knows of permission bits that went with an upload. */
class ModelAttributesTest {
    private static final AttributeChange BITS =
            new AttributeChange(0610, null, null, null, null, null);

    private static Attributes seen(int mode) {
        Instant now = Instant.EPOCH;
        return new Attributes(1, FileType.REGULAR, 0, mode, 0, 0, 1, now, now, now);
    }

    private final ModelAttributes attributes =
            new ModelAttributes(new ModelFile(1, new ModelFile.Sequence()));

    @Test
    void bits_thatStand_areTheOnlyOnes() {
        attributes.bitsWereSet(BITS, 1);
        attributes.checkBits(seen(0610), "getattr");
        assertThatThrownBy(() -> attributes.checkBits(seen(0644), "getattr"))
                .isInstanceOf(Violation.class);
    }

    @Test
    void bits_thatTheServerRefused_areTold_andItsOwnMayStand() {
        attributes.bitsWereSet(BITS, 1);
        assertThat(attributes.wereRefused(BITS, 2)).isTrue();
        attributes.checkBits(seen(0644), "getattr");
        assertThat(attributes.wereRefused(BITS, 3)).as("and once only").isFalse();
    }

    @Test
    void bits_thatWereRefusedWhileTheyWereBeingSet_areNotKnown() {
        attributes.wereRefused(BITS, 2);
        attributes.bitsWereSet(BITS, 1);
        attributes.checkBits(seen(0644), "getattr");
    }
}
