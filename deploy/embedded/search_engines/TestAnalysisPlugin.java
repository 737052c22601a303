/*
 * Test only. Registers, under their standard names, the analysis components of the mapping that the bare Elasticsearch
 * 9.3 "integ-test-zip" server lacks, and GET /. Settings not read here are ignored. Never ship this to production: a
 * full Elasticsearch has the real analysis-common module, whose names these would clash with.
 */
package plugproof;

import java.io.StringReader;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.ngram.EdgeNGramTokenFilter;
import org.apache.lucene.analysis.pattern.PatternTokenizer;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.synonym.SolrSynonymParser;
import org.apache.lucene.analysis.synonym.SynonymFilter;
import org.apache.lucene.analysis.synonym.SynonymMap;
import org.elasticsearch.Build;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.io.stream.NamedWriteableRegistry;
import org.elasticsearch.common.settings.ClusterSettings;
import org.elasticsearch.common.settings.IndexScopedSettings;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.settings.SettingsFilter;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.index.IndexService.IndexCreationContext;
import org.elasticsearch.index.analysis.AbstractTokenFilterFactory;
import org.elasticsearch.index.analysis.CharFilterFactory;
import org.elasticsearch.index.analysis.CustomAnalyzer;
import org.elasticsearch.index.analysis.NormalizingTokenFilterFactory;
import org.elasticsearch.index.analysis.TokenFilterFactory;
import org.elasticsearch.index.analysis.TokenizerFactory;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestController;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestResponse;
import org.elasticsearch.rest.RestStatus;
import org.tartarus.snowball.ext.EnglishStemmer;

public class TestAnalysisPlugin extends Plugin implements AnalysisPlugin, ActionPlugin {

    private static class Filter extends AbstractTokenFilterFactory {
        private final Function<TokenStream, TokenStream> make;
        Filter(String name, Function<TokenStream, TokenStream> make) { super(name); this.make = make; }
        @Override public TokenStream create(TokenStream in) { return make.apply(in); }
    }

    /** May stand in a keyword normalizer. */
    private static final class NormalizingFilter extends Filter implements NormalizingTokenFilterFactory {
        NormalizingFilter(String name, Function<TokenStream, TokenStream> make) { super(name, make); }
    }

    private static AnalysisProvider<TokenFilterFactory> filter(
            BiFunction<String, Function<TokenStream, TokenStream>, TokenFilterFactory> kind, BiFunction<TokenStream, Settings, TokenStream> make) {
        return (index, env, name, s) -> kind.apply(name, in -> make.apply(in, s));
    }

    @Override public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
        return Map.of(
            "asciifolding", filter(NormalizingFilter::new, (in, s) -> new ASCIIFoldingFilter(in, s.getAsBoolean("preserve_original", false))),
            "stemmer", filter(Filter::new, (in, s) -> stem(in, s.get("language"))),
            "edge_ngram", filter(Filter::new, (in, s) -> new EdgeNGramTokenFilter(
                in, s.getAsInt("min_gram", 1), s.getAsInt("max_gram", 2), s.getAsBoolean("preserve_original", false))),
            "synonym", AnalysisPlugin.requiresAnalysisSettings((index, env, name, s) -> new Synonyms(name, s)));
    }

    @Override public Map<String, AnalysisProvider<TokenizerFactory>> getTokenizers() {
        return Map.of("pattern", (index, env, name, s) -> TokenizerFactory.newFactory(
            name, () -> new PatternTokenizer(Pattern.compile(s.get("pattern", "\\W+")), s.getAsInt("group", -1))));
    }

    private static TokenStream stem(TokenStream in, String language) {
        if (!"porter2".equals(language)) {
            throw new IllegalArgumentException("stemmer language not in the test plugin: " + language);
        }
        return new SnowballFilter(in, new EnglishStemmer());
    }

    /** Inline Solr-format rules only; analysed by the part of the chain that stands before this filter. */
    private static final class Synonyms extends AbstractTokenFilterFactory {
        private final Settings settings;
        Synonyms(String name, Settings settings) { super(name); this.settings = settings; }
        @Override public TokenStream create(TokenStream in) {
            throw new IllegalStateException("a synonym filter must be built from its chain");
        }
        @Override public TokenFilterFactory getChainAwareTokenFilterFactory(IndexCreationContext context, TokenizerFactory tokenizer,
                List<CharFilterFactory> chars, List<TokenFilterFactory> before, Function<String, TokenFilterFactory> all) {
            var analyzer = new CustomAnalyzer(tokenizer, chars.toArray(CharFilterFactory[]::new),
                before.stream().map(TokenFilterFactory::getSynonymFilter).toArray(TokenFilterFactory[]::new));
            var parser = new SolrSynonymParser(true, settings.getAsBoolean("expand", true), analyzer);
            SynonymMap map;
            try {
                parser.parse(new StringReader(String.join("\n", settings.getAsList("synonyms"))));
                map = parser.build();
            } catch (Exception e) {
                throw new IllegalArgumentException("failed to build synonyms", e);
            }
            return new Filter(name(), in -> map.fst == null ? in : new SynonymFilter(in, map, false));
        }
    }

    @Override public Collection<RestHandler> getRestHandlers(Settings settings, NamedWriteableRegistry registry, RestController controller,
            ClusterSettings cluster, IndexScopedSettings scoped, SettingsFilter filter, IndexNameExpressionResolver names,
            Supplier<DiscoveryNodes> nodes, Predicate<NodeFeature> features) {
        return List.of(new BaseRestHandler() {
            @Override public String getName() { return "test_root"; }
            @Override public List<Route> routes() {
                return List.of(new Route(RestRequest.Method.GET, "/"), new Route(RestRequest.Method.HEAD, "/"));
            }
            @Override protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
                return channel -> {
                    var json = channel.newBuilder().startObject()
                        .field("name", nodes.get().getLocalNode().getName()).field("cluster_name", settings.get("cluster.name", "elasticsearch"))
                        .startObject("version").field("number", Build.current().version()).field("build_flavor", "default").endObject()
                        .field("tagline", "You Know, for Search").endObject();
                    channel.sendResponse(new RestResponse(RestStatus.OK, json));
                };
            }
        });
    }
}
