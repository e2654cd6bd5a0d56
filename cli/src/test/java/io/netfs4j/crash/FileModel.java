// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.crash;

import java.util.Arrays;

/** What a file holds by what was acknowledged: the number of the last write of each cell. */
final class FileModel {
    final int id;
    private int[] cells = new int[64];
    private int count;

    FileModel(int id) {
        this.id = id;
    }

    FileModel copy() {
        FileModel copy = new FileModel(id);
        copy.cells = cells.clone();
        copy.count = count;
        return copy;
    }

    /** How long it is, in cells. */
    int count() {
        return count;
    }

    long bytes() {
        return (long) count * Stamp.CELL_BYTES;
    }

    /** The last write of a cell; 0 where it is zeros, or behind the end. */
    int sequence(int cell) {
        return cell < count ? cells[cell] : 0;
    }

    void write(int from, int length, int sequence) {
        resize(Math.max(count, from + length));
        Arrays.fill(cells, from, from + length, sequence);
    }

    void resize(int to) {
        if (to > cells.length) {
            cells = Arrays.copyOf(cells, Math.max(to, 2 * cells.length));
        }
        if (to < count) {
            Arrays.fill(cells, to, count, 0);
        }
        count = to;
    }
}
