// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import io.netfs4j.base.FsError;
import io.netfs4j.server.Capability;
import io.netfs4j.vfs.Entry;

import java.util.random.RandomGenerator;

/** Hard and symbolic links, each compared with the model. */
final class LinkOps {
    private static final int TARGET_CHARS_MAX = 300;

    private final World world;
    private final NameOps names;
    private final RandomGenerator random;

    LinkOps(World world, NameOps names) {
        this.world = world;
        this.names = names;
        this.random = world.random;
    }

    /** Gives a file another name. */
    boolean link() {
        if (!world.subject().knowsLinks()) {
            return false;
        }
        try (Claim from = names.claimExisting(n -> n.file != null)) {
            ModelNode node = from == null ? null : from.child();
            if (node == null || node.file == null) {
                return false;
            }
            try (Claim to = names.claimAny(false)) {
                boolean knows = world.server.capabilities().has(Capability.HARD_LINKS);
                if (to == null || (to.child() != null && !knows)) {
                    return false; // There are two reasons to refuse it.
                }
                link(node, node.file, to);
                return true;
            }
        }
    }

    private void link(ModelNode node, ModelFile file, Claim to) {
        boolean taken = to.child() != null;
        FsError expected =
                taken
                        ? FsError.EEXIST
                        : world.server.capabilities().has(Capability.HARD_LINKS)
                                ? null
                                : FsError.EPERM;
        Entry[] made = new Entry[1];
        boolean done =
                names.judge(
                        "link of /" + node.path() + " to",
                        expected,
                        () -> {
                            long directory = names.ino(to.directory);
                            made[0] = world.vfs().link(names.ino(node), directory, to.name);
                        },
                        to);
        if (done) {
            ModelNode second = new ModelNode(to.directory, to.name, file, null);
            second.attach(to.directory, to.name);
            names.found(made[0], second, to.name);
        } else if (expected == null) {
            names.adopt(to);
        }
    }

    boolean makeSymlink() {
        if (!world.subject().knowsLinks()) {
            return false;
        }
        try (Claim claim = names.claimAny(false)) {
            if (claim == null) {
                return false;
            }
            FsError expected = claim.child() == null ? null : FsError.EEXIST;
            String target = "t".repeat(1 + random.nextInt(TARGET_CHARS_MAX)) + random.nextInt(100);
            Entry[] made = new Entry[1];
            boolean done =
                    names.judge(
                            "symlink",
                            expected,
                            () -> {
                                long directory = names.ino(claim.directory);
                                made[0] = world.vfs().makeSymlink(directory, claim.name, target);
                            },
                            claim);
            if (done) {
                ModelNode node = new ModelNode(claim.directory, claim.name, null, target);
                node.attach(claim.directory, claim.name);
                world.server.names.putUnmade(claim.path(), node);
                names.found(made[0], node, claim.name);
            } else if (expected == null) {
                names.adopt(claim);
            }
            return true;
        }
    }

    boolean readSymlink() {
        try (Claim claim = names.claimExisting(n -> n.target != null)) {
            ModelNode node = claim == null ? null : claim.child();
            if (claim == null || node == null) {
                return false;
            }
            names.judge(
                    "readlink",
                    null,
                    () -> {
                        String target = world.vfs().readSymlink(names.ino(node));
                        if (!target.equals(node.target)) {
                            throw new Violation(
                                    "names", "/" + node.path() + " points to " + target);
                        }
                    },
                    claim);
            return true;
        }
    }
}
