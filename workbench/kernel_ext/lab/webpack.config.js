// Numbered module names are hashes over paths of the machine that builds: names make every clone build the same bundle.
module.exports = { optimization: { moduleIds: 'named' } };
