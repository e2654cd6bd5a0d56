// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import org.jspecify.annotations.Nullable;

/** A file of a world that judges by other means: whatever is sent of it is fine. */
final class UnjudgedFile extends ModelFile {
    UnjudgedFile(int number, Sequence sequence) {
        super(number, sequence);
    }

    @Override
    void checkUpload(long from, long to, int granule, long zerosFrom) {}

    @Override
    void checkSizeLimit(long to) {}

    @Override
    void acknowledge(long from, long to, int since, byte @Nullable [] sent) {}
}
